"""From ONNX (or what an .etlt holds) to ONNX as ONNX Runtime likes it best: shaped, quantised, laid out, optimised.

The rules of shapes, layouts and detectors are those of the other target: OpenVINO reads the same file and is asked.
"""

import os

import onnx

import engine
import layouts
import onnx_engine
import onnx_files
import onnx_graph
import openvino_target
import ports
import reading
import shapes
from reporting import Reporter, one_sentence, unsupported


def convert(job, reporter):
    reporter.step("reading the model")
    with openvino_target.source_file(job) as path:
        rules = reading.read(engine.core(), path, "onnx")
        model = onnx_files.load(os.path.realpath(path))
    rules = ports.select_outputs(rules, job.outputs, Reporter.silent())
    batch, usual = shapes.arrange(rules, job, reporter)
    if job.profiles:
        reporter.notice("an ONNX file has no place for a profile's bounds: the dimensions that vary are left open")
    model = _arranged(model, job, rules)
    original = onnx.ModelProto()
    original.CopyFrom(model)
    check_batches(original, rules, usual, batch, job.threads)

    quantisation, judged = None, None
    if job.precision == "int8":
        import quantisation as quantising

        model, quantisation, judged = quantising.quantise(Models(model, rules, job.threads), job, reporter)
    elif job.precision == "fp16":
        if onnx_graph.is_quantised(model):
            raise unsupported("the model is quantised already, and quantised values have no FP16 form: choose fp32")
        model = _fp16(model)
        reporter.notice("ONNX Runtime widens FP16 on most processors: the file is half as large, but not faster")
    mapping = None
    if job.embed_preprocessing is not None:
        import onnx_preprocessing
        import preprocessing

        mapping = preprocessing.resolved(rules, job.embed_preprocessing)
        model = onnx_graph.to_opset(model, max(onnx_graph.opset(model), onnx_preprocessing.OPSET))
        onnx_preprocessing.embed(model, mapping, reporter)
    else:
        onnx_graph.change_layout(model, job.layout, reporter)

    reporter.step("optimising and writing the model")
    files = _write(model, job)
    target = os.path.join(job.output_dir, job.model_file)
    runner = onnx_engine.Runner(target, job.threads)
    result = {
        "inputs": [onnx_engine.description(value, batch.batches, _format(value, mapping))
                   for value in runner.session.get_inputs()],
        "outputs": [onnx_engine.description(value, batch.batches) for value in runner.session.get_outputs()],
        "max_batch": batch.maximum,
        "precision": job.precision,
        "engine_parameters": {},
        "files": files,
    }  # fmt: skip
    if job.verify:
        import verification

        reporter.step("comparing the result with the original")
        pair = verification.Pair(onnx_engine.Runner(original.SerializeToString(), job.threads), runner)
        result["verify"] = verification.compare(
            pair, verification.inputs(rules, usual, mapping, judged), job.layout, mapping, reporter
        )
        verification.warn(rules, reporter)
    if quantisation is not None:
        quantisation["bytes_after"] = sum(os.path.getsize(os.path.join(job.output_dir, name)) for name in files)
        result["quantisation"] = quantisation
    return result


def _arranged(model, job, rules):
    """The model with the outputs and dimensions that the rules came to."""
    model = onnx_graph.to_opset(model, job.opset)
    onnx_graph.drop_constant_inputs(model)
    onnx_graph.select_outputs(model, job.outputs)
    onnx_graph.name_nodes(model)
    dims = {}
    for port in rules.inputs:
        dims[port.get_any_name()] = [d.get_length() if d.is_static else None for d in port.get_partial_shape()]
    onnx_graph.set_shapes(model, dims)
    return model


def check_batches(model, rules, usual, batch, threads):
    """Runs two items at once where the model is to batch: what a graph holds fixed shows only then."""
    if batch.maximum < 2 or any(map(onnx_graph.is_text, onnx_graph.inputs(model))):
        return
    import verification

    runner = onnx_engine.Runner(model.SerializeToString(), threads)
    arrays, _ = next(verification.inputs(rules, {name: [2, *dims[1:]] for name, dims in usual.items()}, None, None))
    for name, array in runner.run(arrays).items():
        if array.ndim == 0 or array.shape[0] != 2:
            raise unsupported(
                f"the model can't batch: for two items its output '{name}' has the shape {list(array.shape)}; a "
                "maximum batch of 0 "
                "leaves it as it is"
            )


class Models:
    """What the quantisation needs to know about ONNX models."""

    def __init__(self, model, rules, threads):
        self.model, self.rules, self._threads = model, rules, threads

    @property
    def is_quantised(self):
        return onnx_graph.is_quantised(self.model)

    def copy(self):
        twin = onnx.ModelProto()
        twin.CopyFrom(self.model)
        return twin

    def runner(self, model):
        return onnx_engine.Runner(model.SerializeToString(), self._threads)

    def end(self):
        producers = {output: node for node in self.model.graph.node for output in node.output}
        last, after, seen, waiting = [], [], set(), [value.name for value in self.model.graph.output]
        while waiting:
            node = producers.get(waiting.pop())
            if node is None or node.name in seen:
                continue
            seen.add(node.name)
            if node.op_type in ("Conv", "ConvTranspose", "MatMul", "Gemm"):
                last.append(node.name)
            else:
                after.append(node.name)
                waiting.extend(node.input)
        return sorted(last), sorted(after)

    def with_names(self, result):
        return result


def _fp16(model):
    """Weights and values in FP16, inputs and outputs as they were."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    try:
        return convert_float_to_float16(model, keep_io_types=True)
    except Exception as error:
        # The converter's own errors are of many types.
        raise unsupported(f"the model can't be converted to FP16: {one_sentence(error)}") from None


def _write(model, job):
    if job.portable:
        onnx.save(model, os.path.join(job.output_dir, job.model_file))
        return [job.model_file]
    raw = os.path.join(job.output_dir, "unoptimised.onnx")
    onnx.save(model, raw)
    try:
        return onnx_engine.optimise(raw, os.path.join(job.output_dir, job.model_file), job.threads)
    finally:
        os.remove(raw)


def _format(value, mapping):
    if mapping is not None and value.name == mapping.input:
        return "FORMAT_NHWC"
    return layouts.FORMATS[layouts.of_shape([number if isinstance(number, int) else -1 for number in value.shape])]

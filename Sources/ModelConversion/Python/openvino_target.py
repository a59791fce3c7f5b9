"""From any format to OpenVINO IR: read, shaped, quantised, laid out, saved, and compared with the original."""

import contextlib
import os

import engine
import layouts
import ports
import precision
import reading
import shapes


def convert(job, reporter):
    reporter.step("reading the model")
    core = engine.core()
    kind = "onnx" if job.format == "etlt" else job.format
    with source_file(job) as path:
        model = reading.read(core, path, kind)
    model = ports.select_outputs(model, job.outputs, reporter)
    batch, usual = shapes.arrange(model, job, reporter)
    original = model.clone()

    quantisation, judged = None, None
    if job.precision == "int8":
        import quantisation as quantising

        model, quantisation, judged = quantising.quantise(Models(core, model, job.threads), job, reporter)
    mapping = None
    if job.embed_preprocessing is not None:
        import preprocessing

        model, mapping = preprocessing.embed(model, job.embed_preprocessing, reporter)
    else:
        model = layouts.change(model, job.layout, reporter)

    reporter.step("writing the model")
    target = os.path.join(job.output_dir, job.model_file)
    precision.save(model, target, job.precision)
    notice = precision.notice(job.precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    if notice:
        reporter.notice(notice)
    files = [job.model_file, os.path.splitext(job.model_file)[0] + ".bin"]
    saved = core.read_model(target)
    hint = precision.HINTS[job.precision]
    result = {
        "inputs": [ports.description(port, batch.batches, _format(port, mapping)) for port in saved.inputs],
        "outputs": [ports.description(port, batch.batches) for port in saved.outputs],
        "max_batch": batch.maximum,
        "precision": job.precision,
        "engine_parameters": precision.engine_parameters(job.precision),
    }
    if job.compiled:
        reporter.step("compiling for this processor")
        blob = os.path.splitext(job.model_file)[0] + ".blob"
        result["compiled"] = engine.export(core, saved, hint, job.threads, os.path.join(job.output_dir, blob))
        files.append(blob)
    if job.verify:
        import verification

        reporter.step("comparing the result with the original")
        pair = verification.Pair(
            engine.Runner(core, original, "f32", job.threads), engine.Runner(core, saved, hint, job.threads)
        )
        result["verify"] = verification.compare(
            pair, verification.inputs(original, usual, mapping, judged), job.layout, mapping, reporter
        )
    if quantisation is not None:
        quantisation["bytes_after"] = sum(os.path.getsize(os.path.join(job.output_dir, name)) for name in files[:2])
        result["quantisation"] = quantisation
    result["files"] = files
    return result


class Models:
    """What the quantisation needs to know about OpenVINO's models."""

    WEIGHTY = frozenset(("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul"))

    def __init__(self, core, model, threads):
        self.model = self.rules = model
        self._core, self._threads = core, threads

    def copy(self):
        return self.model.clone()

    def runner(self, model):
        return engine.Runner(self._core, model, "f32", self._threads)

    def with_names(self, result):
        """The result with the original's names: a changed output is a new one to the engine, without a name."""
        for port, own in zip(result.inputs + result.outputs, self.model.inputs + self.model.outputs):
            port.get_tensor().set_names(own.get_names())
        return result

    def last_layers(self):
        """The convolutions and matrix products that no other one comes after."""
        found, seen = set(), set()
        waiting = [result.input_value(0).get_node() for result in self.model.get_results()]
        while waiting:
            node = waiting.pop()
            if node.get_name() in seen:
                continue
            seen.add(node.get_name())
            if node.get_type_name() in self.WEIGHTY:
                found.add(node.get_friendly_name())
            else:
                waiting.extend(value.get_node() for value in node.input_values())
        return sorted(found)


def source_file(job):
    """The model to read, while it is read: the file itself, or what an encrypted container holds."""
    if job.format != "etlt":
        return contextlib.nullcontext(job.model)
    import etlt

    return etlt.decrypted(job.model, job.etlt, job.output_dir)


def _format(port, mapping):
    if mapping is not None and port.get_any_name() == mapping.input:
        return "FORMAT_NHWC"
    return layouts.FORMATS[layouts.of_port(port)]

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

    model, quantisation, judged = _quantised(core, model, job, reporter)
    model, mapping = _with_inputs_as_asked(model, job, reporter)

    reporter.step("writing the model")
    saved, files = _saved(core, model, job, reporter)
    hint = precision.HINTS[job.precision]
    result = {
        "inputs": [ports.description(port, batch.batches, _format(port, mapping)) for port in saved.inputs],
        "outputs": [ports.description(port, batch.batches) for port in saved.outputs],
        "max_batch": batch.maximum,
        "precision": job.precision,
        "engine_parameters": precision.engine_parameters(job.precision),
        "files": files,
    }
    if quantisation is not None:
        quantisation["bytes_after"] = sum(os.path.getsize(os.path.join(job.output_dir, name)) for name in files)
        result["quantisation"] = quantisation
    reporter.step("compiling for this processor")
    if job.compiled:
        blob = os.path.splitext(job.model_file)[0] + ".blob"
        result["compiled"] = engine.export(core, saved, hint, job.threads, os.path.join(job.output_dir, blob))
        files.append(blob)
    runner = engine.Runner(core, saved, hint, job.threads)
    if job.verify:
        import verification

        reporter.step("comparing the result with the original")
        pair = verification.Pair(engine.Runner(core, original, "f32", job.threads), runner)
        inputs = verification.inputs(original, usual, mapping, judged)
        result["verify"] = verification.compare(pair, inputs, job.layout, mapping, reporter)
        verification.warn(original, reporter)
    return result


def _quantised(core, model, job, reporter):
    """The model in INT8 where that is asked for, the report about it, and the samples that it was judged by."""
    if job.precision != "int8":
        return model, None, None
    import quantisation

    return quantisation.quantise(Models(core, model, job.threads), job, reporter)


def _with_inputs_as_asked(model, job, reporter):
    """The model with its pre-processing or in the layout asked for, and how it pre-processes."""
    if job.embed_preprocessing is None:
        return layouts.change(model, job.layout, reporter), None
    import preprocessing

    return preprocessing.embed(model, job.embed_preprocessing, reporter)


def _saved(core, model, job, reporter):
    """The model as it reads back from its file, and the names of its files."""
    target = os.path.join(job.output_dir, job.model_file)
    precision.save(model, target, job.precision)
    notice = precision.notice(job.precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    if notice:
        reporter.notice(notice)
    return core.read_model(target), [job.model_file, os.path.splitext(job.model_file)[0] + ".bin"]


class Models:
    """What the quantisation needs to know about OpenVINO's models."""

    WEIGHTY = frozenset(("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul"))

    def __init__(self, core, model, threads):
        self.model = self.rules = model
        self._core, self._threads = core, threads

    @property
    def is_quantised(self):
        return any(operation.get_type_name() == "FakeQuantize" for operation in self.model.get_ops())

    def copy(self):
        return self.model.clone()

    def runner(self, model):
        return engine.Runner(self._core, model, "f32", self._threads)

    def with_names(self, result):
        """The result with the original's names: a changed output is a new one to the engine, without a name."""
        for port, own in zip(result.inputs + result.outputs, self.model.inputs + self.model.outputs):
            port.get_tensor().set_names(own.get_names())
        return result

    def end(self):
        """The convolutions and matrix products that no other one comes after, and all that comes after them."""
        last, after, seen = [], [], set()
        waiting = [result.input_value(0).get_node() for result in self.model.get_results()]
        while waiting:
            node = waiting.pop()
            if node.get_name() in seen:
                continue
            seen.add(node.get_name())
            if node.get_type_name() in self.WEIGHTY:
                last.append(node.get_friendly_name())
            else:
                after.append(node.get_friendly_name())
                waiting.extend(value.get_node() for value in node.input_values())
        return sorted(last), sorted(after)


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

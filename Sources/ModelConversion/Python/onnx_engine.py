"""ONNX Runtime as this conversion uses it."""

import os
import re

import onnxruntime

from reporting import one_sentence, unsupported

# From "tensor(float)" to the words of config.pbtxt.
TYPES = {
    "float": "FP32", "float16": "FP16", "double": "FP64", "bfloat16": "BF16", "uint8": "UINT8", "uint16": "UINT16",
    "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "bool": "BOOL", "string": "STRING",
}  # fmt: skip


def _options(threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return options


def _session(source, options):
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # The engine's own errors are of many types.
        raise unsupported(f"ONNX Runtime does not take the model: {_what_is_wrong(error)}") from None


def _what_is_wrong(error):
    """The engine's message without its numbers and without paths."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", one_sentence(error))
    return re.sub(r"^Load model from \S+ failed:", "", text)


def optimise(path, target, threads):
    """Writes the graph as ONNX Runtime simplifies it for any processor; what fits one only is done again at load."""
    options = _options(threads)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = target
    _session(path, options)
    return [os.path.basename(target)]


class Runner:
    """A session that takes and gives arrays by name."""

    def __init__(self, source, threads):
        self.session = _session(source, _options(threads))
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def run(self, arrays):
        try:
            results = self.session.run(None, {name: arrays[name] for name in self.inputs})
        except Exception as error:
            raise unsupported(f"ONNX Runtime can't run the model: {one_sentence(error)}") from None
        return dict(zip(self.outputs, results))


def description(value, batches, format=None):
    """A port as config.pbtxt has it. -1 is a dimension that may vary."""
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    if kind not in TYPES:
        raise unsupported(f"'{value.name}' has the type {value.type}, which the server does not have")
    dims = [number if isinstance(number, int) else -1 for number in value.shape]
    described = {"name": value.name, "type": TYPES[kind], "dims": dims[1:] if batches else dims}
    if format is not None:
        described["format"] = format
    return described

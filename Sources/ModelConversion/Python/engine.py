"""The engine as this conversion uses it: one stream, so that what is measured is one request at a time."""

import os

import numpy as np
import openvino as ov

from reporting import one_sentence, unsupported


def core():
    return ov.Core()


def properties(hint, threads):
    """`hint` None leaves the precision to the engine."""
    common = {"NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads), "ENABLE_CPU_PINNING": "NO"}
    return common if hint is None else {**common, "INFERENCE_PRECISION_HINT": hint}


def compiled(core_object, model, hint, threads):
    try:
        return core_object.compile_model(model, "CPU", properties(hint, threads))
    except Exception as error:
        # The engine throws one type for all there is to complain about.
        raise unsupported(f"the model can't be compiled for this processor: {one_sentence(error)}") from None


class Runner:
    """A compiled model that takes and gives arrays by name."""

    def __init__(self, core_object, model, hint, threads):
        self._request = compiled(core_object, model, hint, threads).create_infer_request()
        # The engine may give a compiled model's ports more names than the model's own have.
        self.inputs = [port.get_any_name() for port in model.inputs]
        self.outputs = [port.get_any_name() for port in model.outputs]

    def run(self, arrays):
        results = self._request.infer([arrays[name] for name in self.inputs], share_inputs=True)
        return {name: np.array(results[index]) for index, name in enumerate(self.outputs)}


def export(core_object, model, hint, threads, path):
    """The model as the engine compiled it for exactly this processor, and who that was."""
    blob = compiled(core_object, model, hint, threads).export_model()
    data = blob.getvalue() if hasattr(blob, "getvalue") else bytes(blob)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"openvino": ov.get_version(), "device": core_object.get_property("CPU", "FULL_DEVICE_NAME")}

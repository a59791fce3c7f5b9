"""What an engine answers in Python: python3 oracle.py ENGINE FOLDER [AFTER]

Writes a record for each case to FOLDER/ENGINE.answers, before it runs (so that a crash has a name) and after: (name,
"begins"), then (name, "answers", [(output, array)], whether a second run answered the same, {what the engine calls an input: the case's name}), (name, "refuses", why) or
(name, "unfit", why), which is a case that no tensors of the protocol can ask. With AFTER it goes on behind that case.
"""

import os
import pickle
import sys
from pathlib import Path

import numpy as np
from cases import datatype


# Those of ONNX Runtime's types that the protocol lacks come as numpy's UINT8 in Python.
LACKING = ("float8", "float4", "int4", "complex", "int2")


class Unfit(Exception):
    pass


def onnxruntime_session(path, _):
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    for port in [*session.get_inputs(), *session.get_outputs()]:
        if not port.type.startswith("tensor(") or any(kind in port.type for kind in LACKING):
            raise Unfit(f"{port.name} is {port.type}")
    # By number: numpy has no type of its own for BF16.
    bfloat16 = 16

    def value(array):
        if array.dtype.name == "bfloat16":
            return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(array.view(np.uint16), bfloat16)
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)

    def array(result):
        if result.data_type() == "tensor(bfloat16)":
            import ml_dtypes

            return onnxruntime.OrtValue.numpy(result).view(ml_dtypes.bfloat16)
        return result.numpy()

    names = [port.name for port in session.get_outputs()]
    taken = {port.name: port.name for port in session.get_inputs()}

    def run(inputs):
        if any(each.dtype.kind in "OSU" for _, each in inputs):
            return list(zip(names, session.run(names, dict(inputs)), strict=True))
        given = {name: value(np.ascontiguousarray(each).reshape(each.shape)) for name, each in inputs}
        return [(n, array(v)) for n, v in zip(names, session.run_with_ort_values(names, given), strict=True)]

    return run, taken


def matched(names, ports):
    """{a port's name: the case's}: an input that the graph has no use for is gone, and one that an output repeats is called as
    that output is."""
    found = {name: name for port in ports for name in port if name in names}
    rest = [name for name in names if name not in found]
    others = [min(port) for port in ports if not port & set(found)]
    if len(others) > len(rest):
        raise Unfit(f"inputs {others} are none of {names}")
    return {**found, **dict(zip(others, rest, strict=False))}


def openvino_session(path, names):
    import openvino

    core = openvino.Core()
    core.set_property({"INFERENCE_NUM_THREADS": 1, "LOG_LEVEL": "LOG_NONE"})
    model = core.read_model(str(path))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    taken = matched(names, [port.get_names() for port in compiled.inputs])
    def run(inputs):
        arrays = dict(inputs)
        given = {own: openvino.Tensor(arrays[name]) for own, name in taken.items()}
        result = compiled.infer_new_request(given)
        return [(port.get_any_name(), np.array(value)) for port, value in result.items()]

    return run, taken


SESSIONS = {"onnxruntime": onnxruntime_session, "openvino": openvino_session}


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for (_, a), (_, b) in zip(one, other, strict=True))


def answer(engine, path, inputs):
    try:
        for name, array in inputs:
            if array is None or datatype(array) is None:
                raise Unfit(f"input {name} is no tensor of the protocol")
        run, taken = SESSIONS[engine](path, [name for name, _ in inputs])
        outputs = run(inputs)
        for name, array in outputs:
            if not isinstance(array, np.ndarray) or datatype(array) is None:
                raise Unfit(f"output {name} is no tensor of the protocol")
        return "answers", outputs, same(outputs, run(inputs)), taken
    except Unfit as problem:
        return "unfit", str(problem)
    except Exception as problem:  # noqa: BLE001 (an engine raises what it likes)
        return "refuses", str(problem)[:300]


def main(engine, folder, after=None):
    inputs = pickle.loads((folder / "inputs.pickle").read_bytes())
    names = list(inputs)
    names = names[names.index(after) + 1 :] if after else names
    with (folder / f"{engine}.answers").open("ab") as out:
        for name in names:
            pickle.dump((name, "begins"), out)
            out.flush()
            pickle.dump((name, *answer(engine, folder / "repository" / name / "1" / "model.onnx", inputs[name])), out)
            out.flush()


if __name__ == "__main__":
    # Engines write warnings to both streams; nobody reads them.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

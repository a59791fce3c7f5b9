"""The operator test cases of the Python package onnx, laid out as a model repository, with their inputs.

Those of its folders that have models with files (simple, pytorch-converted, pytorch-operator) come with them.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np

# What the protocol calls the types of numpy; what is not here can't be sent.
DATATYPES = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8",
    "int16": "INT16", "int32": "INT32", "int64": "INT64", "float16": "FP16", "bfloat16": "BF16", "float32": "FP32",
    "float64": "FP64", "object": "BYTES",
}  # fmt: skip
FOLDERS = ("simple", "pytorch-converted", "pytorch-operator")


def datatype(array):
    """The protocol's name for an array's type, or None."""
    return "BYTES" if array.dtype.kind in "SUT" else DATATYPES.get(array.dtype.name)


def tensor(value):
    """An array, or None for what is no tensor: sequences, maps, optionals."""
    import onnx

    if isinstance(value, onnx.TensorProto):
        value = onnx.numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else None


def generated():
    """The operators' own cases: the package makes them when it is asked to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        for case in collect_testcases(None):
            yield case.name, case.model, case.data_sets[0][0]


def stored():
    """Cases whose models and inputs the package holds as files."""
    import onnx
    import onnx.backend.test

    data = Path(onnx.backend.test.__file__).parent / "data"
    for folder in FOLDERS:
        for case in sorted((data / folder).iterdir()):
            model = onnx.load(case / "model.onnx")
            values = []
            for index, declared in enumerate(model.graph.input):
                content = case / "test_data_set_0" / f"input_{index}.pb"
                is_tensor = content.is_file() and declared.type.HasField("tensor_type")
                values.append(onnx.TensorProto.FromString(content.read_bytes()) if is_tensor else None)
            yield f"{folder}-{case.name}", model, values


def write(folder):
    """Writes repository/NAME/1/model.onnx for each case and inputs.pickle: {name: [(input, array or None)]}."""
    inputs = {}
    for source in (generated, stored):
        for name, model, values in source():
            version = folder / "repository" / name / "1"
            version.mkdir(parents=True)
            (version / "model.onnx").write_bytes(model.SerializeToString())
            inputs[name] = [
                (declared.name, tensor(value)) for declared, value in zip(model.graph.input, values, strict=False)
            ]
    (folder / "inputs.pickle").write_bytes(pickle.dumps(inputs))


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))

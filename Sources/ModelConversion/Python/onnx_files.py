"""ONNX files, read and checked without trusting what they say: where external data lies, and how large tensors are."""

import math
import os

import onnx
from google.protobuf.message import DecodeError

from containment import inside
from job import check_size
from reporting import invalid, one_sentence

# Of one dimension of a constant or an input, and of a file that protobuf can hold.
DIMENSION_LIMIT = 1 << 31
FILE_LIMIT = 1 << 31


def load(path, external_data=True):
    """The model of a file, with its external data (`external_data`) or only with checked references to it."""
    name = os.path.basename(path)
    size = os.path.getsize(path)
    if size == 0 or size >= FILE_LIMIT:
        raise invalid(f"'{name}' has {size} bytes; an ONNX file has between 1 and {FILE_LIMIT - 1}")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        raise invalid(f"'{name}' is no ONNX file, or a damaged or truncated one: its protobuf can't be read") from None
    except (OSError, ValueError) as error:
        raise invalid(f"'{name}' can't be read: {one_sentence(error)}") from None
    check(model, os.path.dirname(os.path.realpath(path)), name)
    if external_data:
        onnx.load_external_data_for_model(model, os.path.dirname(os.path.realpath(path)))
    return model


def check(model, folder, name):
    """Refuses what is no model, names files elsewhere, or declares tensors that it does not hold."""
    if not model.HasField("graph") or not model.opset_import or not (model.graph.node or model.graph.output):
        raise invalid(f"'{name}' is no ONNX model, or a damaged or truncated one: it has no graph")
    for owner, value in [(f"input '{i.name}'", i) for i in model.graph.input]:
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_value") and dim.dim_value > DIMENSION_LIMIT:
                raise invalid(f"'{name}': {owner} has a dimension of {dim.dim_value}; the limit is {DIMENSION_LIMIT}")
        check_size([dim.dim_value for dim in value.type.tensor_type.shape.dim], 4, f"'{name}': {owner}")
    for tensor in _tensors(model):
        _check_tensor(tensor, folder, name)


def _tensors(model):
    """All constants: initializers and those of attributes, of the graph, its subgraphs and its functions."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield sparse.values
                yield sparse.indices
            nodes.extend(graph.node)
        while nodes:
            for attribute in nodes.pop().attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                if attribute.HasField("g"):
                    graphs.append(attribute.g)
                graphs.extend(attribute.graphs)


def _check_tensor(tensor, folder, name):
    owner = f"'{name}': constant '{tensor.name}'"
    if any(dim < 0 or dim > DIMENSION_LIMIT for dim in tensor.dims):
        raise invalid(f"{owner} has the shape {list(tensor.dims)}; each dimension must be from 0 to {DIMENSION_LIMIT}")
    expected = _byte_count(tensor, owner)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        values = {entry.key: entry.value for entry in tensor.external_data}
        path = inside(folder, values.get("location", ""), owner)
        offset, length = _number(values, "offset", 0, owner), _number(values, "length", expected, owner)
        available = os.path.getsize(path)
        if length < expected or offset + length > available:
            raise invalid(
                f"{owner} needs {expected} bytes at {offset} of '{values['location']}', which has {available} bytes"
            )
    elif tensor.HasField("raw_data") and len(tensor.raw_data) != expected:
        raise invalid(
            f"{owner} of shape {list(tensor.dims)} needs {expected} bytes, but the file holds {len(tensor.raw_data)}"
        )


def _byte_count(tensor, owner):
    """Bytes of the elements; several small elements may share one."""
    count = math.prod(tensor.dims)
    if tensor.data_type == onnx.TensorProto.STRING:
        return 0
    try:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except KeyError:
        raise invalid(f"{owner} has the element type {tensor.data_type}, which ONNX does not know") from None
    bits = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "float4_e2m1fn": 4}.get(kind.name, 8 * kind.itemsize)
    return (count * bits + 7) // 8


def _number(values, key, default, owner):
    text = values.get(key)
    if text is None or text == "":
        return default
    if not text.isdecimal() or len(text) > 18:
        raise invalid(f"{owner} has the {key} '{text}' in its external data, which is no number of bytes")
    return int(text)

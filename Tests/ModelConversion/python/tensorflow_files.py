"""TensorFlow graphs and saved models without TensorFlow: protobuf by hand, as much as the small models need."""

import struct

FLOAT = 1


def _varint(number):
    data = bytearray()
    while True:
        data.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(data)


def _number(field, number):
    return _varint(field << 3) + _varint(number)


def _bytes(field, data):
    data = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _shape(dims):
    # -1 as the 64-bit number that protobuf makes of it.
    return b"".join(_bytes(2, _number(1, dim & (2**64 - 1))) for dim in dims)


def _attribute(name, value):
    return _bytes(5, _bytes(1, name) + _bytes(2, value))


def _node(name, kind, inputs=(), attributes=b""):
    return _bytes(1, _bytes(1, name) + _bytes(2, kind) + b"".join(_bytes(3, i) for i in inputs) + attributes)


def _constant(name, values, dims=None):
    data = b"".join(struct.pack("<f", value) for value in values)
    if dims is None:
        held = _bytes(4, data)
    else:
        # As single numbers, of which the last one stands for all that follow.
        held = _bytes(5, data)
    tensor = _number(1, FLOAT) + _bytes(2, _shape(dims or [len(values)])) + held
    return _node(
        name, "Const", attributes=_attribute("dtype", _number(6, FLOAT)) + _attribute("value", _bytes(8, tensor))
    )


def graph(dims=(-1, 8, 8, 3), constant_dims=None):
    """A GraphDef: `image` [N,8,8,3], and `brighter` = image + [1, 2, 3], `darker` = image - [1, 2, 3]."""
    kind = _attribute("T", _number(6, FLOAT))
    placeholder = _attribute("dtype", _number(6, FLOAT)) + _attribute("shape", _bytes(7, _shape(dims)))
    return (
        _node("image", "Placeholder", attributes=placeholder)
        + _constant("amount", [1, 2, 3], constant_dims)
        + _node("brighter", "AddV2", ["image", "amount"], kind)
        + _node("darker", "Sub", ["image", "amount"], kind)
    )


def frozen_graph(path, dims=(-1, 8, 8, 3), constant_dims=None):
    path.write_bytes(graph(dims, constant_dims))
    return path


def saved_model(folder, dims=(-1, 8, 8, 3)):
    """A saved model with the signature serving_default: `image` to `brighter`."""

    def info(name):
        return _bytes(1, name + ":0") + _number(2, FLOAT) + _bytes(3, _shape(dims))

    def entry(name):
        return _bytes(1, name) + _bytes(2, info(name))

    signature = _bytes(1, entry("image")) + _bytes(2, entry("brighter")) + _bytes(3, "tensorflow/serving/predict")
    meta = _bytes(1, _bytes(4, "serve")) + _bytes(2, graph(dims))
    meta += _bytes(5, _bytes(1, "serving_default") + _bytes(2, signature))
    folder.mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(_number(1, 1) + _bytes(2, meta))
    return folder

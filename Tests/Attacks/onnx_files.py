"""Small ONNX files, put together field by field: no library is needed to make them, and none refuses what is odd in them."""

from http2 import text_field as field
from http2 import varint as number

FLOAT, UINT8, INT64, BOOL = 1, 2, 7, 9


def varint(key, value):
    return number(key << 3) + number(value)


def port(name, kind, dimensions):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else varint(1, d)) for d in dimensions)
    return field(1, name) + field(2, field(1, varint(1, kind) + field(2, shape)))


def node(operator, inputs, outputs, attributes=b""):
    ports = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    return ports + field(4, operator) + attributes


def integer(name, value):
    """An attribute that is an integer."""
    return field(5, field(1, name) + varint(3, value) + varint(20, 2))


def model(nodes, inputs, outputs, initializers=()):
    graph = b"".join(field(1, each) for each in nodes) + field(2, "g")
    graph += b"".join(field(5, each) for each in initializers)
    graph += b"".join(field(11, each) for each in inputs) + b"".join(field(12, each) for each in outputs)
    return varint(1, 8) + field(8, field(1, "") + varint(2, 13)) + field(7, graph)


def weights(name, kind, dimensions, content):
    return b"".join(varint(1, d) for d in dimensions) + varint(2, kind) + field(8, name) + field(9, content)


def external(name, kind, dimensions, **where):
    """Weights that are said to lie somewhere else."""
    entries = b"".join(field(13, field(1, key) + field(2, str(value))) for key, value in where.items())
    return b"".join(varint(1, d) for d in dimensions) + varint(2, kind) + field(8, name) + entries + varint(14, 1)


def doubling():
    """Y = X + X, of [b, 4] FP32."""
    ports = [port(name, FLOAT, ["b", 4]) for name in "XY"]
    return model([node("Add", ["X", "X"], ["Y"])], ports[:1], ports[1:])


def reading(location, offset=0, length=16):
    """Y = X + the bytes that lie at a location."""
    return model(
        [node("Cast", ["E"], ["F"], integer("to", FLOAT)), node("Add", ["F", "X"], ["Y"])],
        [port("X", FLOAT, [1])], [port("Y", FLOAT, ["n"])],
        [external("E", UINT8, [length], location=location, offset=offset, length=length)],
    )  # fmt: skip


def recurrent(operator="GRU", gates=3):
    """A GRU or an LSTM of 4 numbers, over any number of steps and rows."""
    sizes = [(name, [1, gates * 4, 4]) for name in "WR"]
    zeros = [weights(name, FLOAT, shape, bytes(4 * shape[1] * shape[2])) for name, shape in sizes]
    return model(
        [node(operator, ["X", "W", "R"], ["Y"], integer("hidden_size", 4))],
        [port("X", FLOAT, ["s", "b", 4])], [port("Y", FLOAT, ["s", 1, "b", 4])], zeros,
    )  # fmt: skip

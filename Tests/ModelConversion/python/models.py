"""Small ONNX models, made here: random weights from a fixed seed, so that every run sees the same."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = [helper.make_opsetid("", 13)]


def save(path, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "small", inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def convolution(path, layout="nchw", batch="N", height=16, width=24, channels=3):
    """A picture in, two outputs: `features` [N, 4, h, w] and `mean` [N, 4]."""
    generator = np.random.default_rng(1)
    weights = generator.standard_normal((4, channels, 3, 3)).astype(np.float32)
    shape = [batch, channels, height, width] if layout == "nchw" else [batch, height, width, channels]
    nodes, source = [], "picture"
    if layout == "nhwc":
        nodes.append(helper.make_node("Transpose", ["picture"], ["inner"], perm=[0, 3, 1, 2]))
        source = "inner"
    nodes += [
        helper.make_node("Conv", [source, "weights"], ["raw"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["raw"], ["features"]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["mean"]),
    ]
    outputs = [value("features", [batch, 4, height, width]), value("mean", [batch, 4])]
    return save(path, nodes, [value("picture", shape)], outputs, [constant("weights", weights)])


def addition(path, shape=("N", 4)):
    """`sum` = `left` + `right`."""
    nodes = [helper.make_node("Add", ["left", "right"], ["sum"])]
    return save(path, nodes, [value("left", shape), value("right", shape)], [value("sum", shape)])


def fixed_inside(path):
    """A model whose batch of 1 is fixed by a constant inside, so that it can't batch."""
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    return save(path, nodes, [value("x", [1, 4])], [value("y", [1, 2, 2])], [constant("shape", np.int64([1, 2, 2]))])


def detector(path, height=64, width=96):
    """DetectNet_v2 in small: bright blocks of 16 x 16 pixels are found, with boxes around the block.

    Its weights are chosen, not trained: the coverage of a cell is how bright the cell is.
    """
    rows, columns = height // 16, width // 16
    brightness = np.full((1, 3, 16, 16), 1 / (3 * 256), np.float32)
    nodes = [
        helper.make_node("Conv", ["input_1", "brightness"], ["bright"], strides=[16, 16]),
        helper.make_node("Relu", ["bright"], ["clear"]),
        helper.make_node("Conv", ["clear", "contrast", "dark"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["output_cov/Sigmoid"]),
        helper.make_node("Conv", ["clear", "none", "sides"], ["output_bbox/BiasAdd"]),
    ]
    constants = [
        constant("brightness", brightness),
        constant("contrast", np.float32([20]).reshape(1, 1, 1, 1)),
        constant("dark", np.float32([-10])),
        constant("none", np.zeros((4, 1, 1, 1), np.float32)),
        constant("sides", np.float32([0, 0, 16, 16]) / 35),
    ]
    outputs = [
        value("output_bbox/BiasAdd", ["N", 4, rows, columns]),
        value("output_cov/Sigmoid", ["N", 1, rows, columns]),
    ]
    return save(path, nodes, [value("input_1", ["N", 3, height, width])], outputs, constants)


def external(path, location, shape=(4, 4), offset=None, length=None, content=None):
    """A matrix product whose weights lie in another file, under whatever name."""
    weights = constant("weights", np.ones(shape, np.float32))
    data = weights.raw_data
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "external",
        [value("x", ["N", shape[0]])],
        [value("y", ["N", shape[1]])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8)
    stored = model.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": offset, "length": length}
    for key, entry in entries.items():
        if entry is not None:
            stored.external_data.add(key=key, value=str(entry))
    path.write_bytes(model.SerializeToString())
    if content is not None:
        content.write_bytes(data)
    return path

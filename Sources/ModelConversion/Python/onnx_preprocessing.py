"""Pre-processing as part of an ONNX graph: the same as preprocessing.py does for OpenVINO."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import onnx_graph
from preprocessing import MAPPING_OUTPUT
from reporting import unsupported

# From this operator set on the resize has the wide filter that shrinking pictures need.
OPSET = 18


class _Writer:
    """Nodes and constants, put before those of the model."""

    def __init__(self, model):
        self._model, self.nodes, self.constants, self._count = model, [], [], 0

    def __call__(self, kind, *inputs, **attributes):
        self._count += 1
        output = onnx_graph.fresh(self._model, f"preprocessing_{self._count}_{kind.lower()}")
        names = [name if isinstance(name, str) else self.constant(name) for name in inputs]
        self.nodes.append(helper.make_node(kind, names, [output], name=output, **attributes))
        return output

    def constant(self, values):
        self._count += 1
        name = onnx_graph.fresh(self._model, f"preprocessing_{self._count}_constant")
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def whole(self, *numbers):
        return self.constant(np.asarray(numbers, np.int64))


def embed(model, how, reporter):
    """Gives the model, whose operator set is at least OPSET, a UINT8 input [N, height, width, 3] of any size, and the
    output `mapping`."""
    if any(value.name == MAPPING_OUTPUT for value in model.graph.output):
        raise unsupported(f"the model has an output '{MAPPING_OUTPUT}' of its own, where the picture's place would go")
    write = _Writer(model)
    batch = model.graph.input[0].type.tensor_type.shape.dim[0]
    batch_name = batch.dim_value if batch.HasField("dim_value") else onnx_graph.BATCH
    picture, inner = how.input, onnx_graph.fresh(model, f"{how.input}_normalised")
    onnx_graph.replace_uses(model, picture, inner)
    value, mapping = _graph(write, picture, how)
    write.nodes.append(helper.make_node("Identity", [value], [inner], name=inner))
    write.nodes.append(helper.make_node("Identity", [mapping], [MAPPING_OUTPUT], name=MAPPING_OUTPUT))
    old = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*write.nodes, *old])
    model.graph.initializer.extend(write.constants)
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info(picture, TensorProto.UINT8, [batch_name, "height", "width", 3])
    )
    model.graph.output.append(helper.make_tensor_value_info(MAPPING_OUTPUT, TensorProto.FLOAT, [batch_name, 8]))
    reporter.notice(
        f"input '{how.input}' takes RGB pictures of any size: the model brings them to {how.width} x {how.height} "
        f"({how.resize}), and its output '{MAPPING_OUTPUT}' says where they lie in there"
    )


def _graph(write, picture, how):
    shape = write("Shape", picture)
    batch, in_height, in_width = (write("Gather", shape, write.whole(index), axis=0) for index in (0, 1, 2))
    frame_width, frame_height, two = write.whole(how.width), write.whole(how.height), write.whole(2)
    width, height = frame_width, frame_height
    if how.resize == "letterbox":
        wide = write("GreaterOrEqual", write("Mul", in_width, frame_height), write("Mul", in_height, frame_width))
        width = write("Where", wide, frame_width, _rounded(write, in_width, frame_height, in_height))
        height = write("Where", wide, _rounded(write, in_height, frame_width, in_width), frame_height)
    left = write("Div", write("Sub", frame_width, width), two)
    top = write("Div", write("Sub", frame_height, height), two)
    numbers = [write("Cast", number, to=TensorProto.FLOAT)
               for number in (in_width, in_height, width, height, left, top, frame_width, frame_height)]  # fmt: skip
    ratios = (write("Div", numbers[0], numbers[2]), write("Div", numbers[1], numbers[3]))
    row = write("Concat", *ratios, numbers[4], numbers[5],
                numbers[0], numbers[1], numbers[6], numbers[7], axis=0)  # fmt: skip
    mapping = write("Expand", write("Unsqueeze", row, write.whole(0)), write("Concat", batch, write.whole(8), axis=0))

    value = write("Cast", write("Transpose", picture, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    size = write("Concat", batch, write.whole(3), height, width, axis=0)
    value = write(
        "Resize", value, "", "", size, mode="linear", antialias=1, coordinate_transformation_mode="half_pixel"
    )
    if how.resize == "letterbox":
        right = write("Sub", write("Sub", frame_width, width), left)
        bottom = write("Sub", write("Sub", frame_height, height), top)
        pads = write("Concat", write.whole(0, 0), top, left, write.whole(0, 0), bottom, right, axis=0)
        value = write("Pad", value, pads, write.constant(np.float32(0)))
        value = write("Reshape", value, write.whole(-1, 3, how.height, how.width))
    if how.color == "bgr":
        value = write("Gather", value, write.whole(2, 1, 0), axis=1)
    if how.is_bytes:
        value = write("Clip", write("Round", value), write.constant(np.float32(0)), write.constant(np.float32(255)))
    else:
        if any(how.mean):
            value = write("Sub", value, write.constant(np.float32(how.mean).reshape(1, 3, 1, 1)))
        value = write("Mul", value, write.constant(np.float32(how.scale).reshape(1, 3, 1, 1)))
    if how.layout == "nhwc":
        value = write("Transpose", value, perm=[0, 2, 3, 1])
    kinds = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "u8": TensorProto.UINT8}
    return write("Cast", value, to=kinds[how.element_type.get_type_name()]), mapping


def _rounded(write, size, frame, other):
    """size * frame / other, rounded, at least 1."""
    twice = write("Mul", write("Mul", size, frame), write.whole(2))
    return write("Max", write("Div", write("Add", twice, other), write("Mul", other, write.whole(2))), write.whole(1))

"""Pre-processing made part of the model: it takes bytes of pictures of any size, and the engine does the rest."""

from dataclasses import dataclass

import numpy as np
import openvino as ov
from openvino import opset13 as ops

import layouts
from detections import head_of
from reporting import invalid, unsupported

# Where a letterboxed or stretched picture lies in the network's input: what the people_boxes step of an ensemble takes.
MAPPING_OUTPUT = "mapping"


@dataclass(frozen=True)
class Resolved:
    """What to do for one model: the job's wishes, and for the rest what fits the model."""

    input: str
    width: int
    height: int
    layout: str
    is_bytes: bool
    element_type: ov.Type
    scale: tuple
    mean: tuple
    color: str
    resize: str

    def plan(self):
        """The same outside of the model."""
        import pictures

        return pictures.Plan(
            width=self.width, height=self.height, layout=self.layout, dtype=np.dtype(self.element_type.to_dtype()),
            scale=self.scale, mean=self.mean, color=self.color, resize=self.resize)  # fmt: skip

    def pair(self, generator):
        """A made-up picture as the original takes it, and as the model that pre-processes by itself does."""
        from PIL import Image

        width, height = (int(number) for number in generator.integers(200, 1200, 2))
        coarse = generator.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3)).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        return self.plan().item(picture), np.asarray(picture)[np.newaxis]


def resolved(model, wish):
    """What the model's one picture needs."""
    found = layouts.pictures(model)
    if len(found) != 1 or len(model.inputs) != 1:
        raise unsupported(
            "pre-processing and calibration from pictures need a model with one input that is a picture (3 "
            "channels first or "
            "last), and this one has "
            + ", ".join(f"'{p.get_any_name()}' {p.get_partial_shape()}" for p in model.inputs)
        )
    port, layout = found[0]
    shape = port.get_partial_shape()
    channels, height, width = (shape[1], shape[2], shape[3]) if layout == "nchw" else (shape[3], shape[1], shape[2])
    if channels.get_length() != 3:
        raise unsupported(f"input '{port.get_any_name()}' has {channels.get_length()} channels; pictures have 3")
    if height.is_dynamic or width.is_dynamic:
        raise invalid(
            f"input '{port.get_any_name()}' takes pictures of any size: say which one the model shall see (-d)"
        )
    name = port.get_element_type().get_type_name()
    if name not in ("f32", "f16", "u8"):
        raise unsupported(f"input '{port.get_any_name()}' is {name}; pictures can become f32, f16 or u8")
    scale, mean = _numbers(wish, name == "u8", port.get_any_name())
    head = head_of(model)
    return Resolved(
        input=port.get_any_name(), width=width.get_length(), height=height.get_length(), layout=layout,
        is_bytes=name == "u8", element_type=port.get_element_type(), scale=scale, mean=mean, color=wish.color,
        resize=wish.resize or ("letterbox" if head is not None and head.letterboxes else "stretch"))  # fmt: skip


def _numbers(wish, is_bytes, name):
    scale = wish.scale or ((1.0,) * 3 if is_bytes else (1 / 255,) * 3)
    mean = wish.mean or (0.0,) * 3
    if is_bytes and (scale != (1.0,) * 3 or mean != (0.0,) * 3):
        raise invalid(
            f"input '{name}' takes bytes, so its scale is 1 and its mean 0, got scale {scale} and mean {mean}"
        )
    return scale, mean


def embed(model, wish, reporter):
    """The model with a UINT8 input [N, height, width, 3] of any size, and with the output `mapping`."""
    how = resolved(model, wish)
    port = model.input(how.input)
    batch = port.get_partial_shape()[0]
    picture = ops.parameter(ov.PartialShape([batch, ov.Dimension(1, 16384), ov.Dimension(1, 16384), ov.Dimension(3)]),
                            ov.Type.u8, name=how.input)  # fmt: skip
    sizes = _Sizes(picture, how)
    value = _network_input(picture, sizes, how)
    outputs = [(set(output.get_names()), output.get_node()) for output in model.outputs]
    taken = {name for names, _ in outputs for name in names}
    if MAPPING_OUTPUT in taken:
        raise unsupported(f"the model has an output '{MAPPING_OUTPUT}' of its own, where the picture's place would go")
    for user in list(port.get_node().output(0).get_target_inputs()):
        user.replace_source_output(value.output(0))
    mapping = ops.result(sizes.mapping(), name=MAPPING_OUTPUT)
    result = ov.Model(
        [node for _, node in outputs] + [mapping], model.get_sinks(), [picture], model.get_friendly_name()
    )
    picture.output(0).get_tensor().set_names({how.input})
    for output, (names, _) in zip(result.outputs, outputs):
        output.get_tensor().set_names(names)
    result.outputs[-1].get_tensor().set_names({MAPPING_OUTPUT})
    reporter.notice(
        f"input '{how.input}' takes RGB pictures of any size: the model brings them to {how.width} x {how.height} "
        f"({how.resize}), and its output '{MAPPING_OUTPUT}' says where they lie in there"
    )
    return result, how


class _Sizes:
    """The picture's size, and the size and place that it gets, as values of the graph.

    All in whole numbers: in BF16, which the engine may choose for any other number, no size would survive.
    """

    def __init__(self, picture, how):
        self._how = how
        shape = ops.shape_of(picture, "i64")
        self._batch, self._in_height, self._in_width = (_pick(shape, index) for index in (0, 1, 2))
        frame_width, frame_height = _whole(how.width), _whole(how.height)
        if how.resize == "stretch":
            self._width, self._height = frame_width, frame_height
        else:
            wide = ops.greater_equal(
                ops.multiply(self._in_width, frame_height), ops.multiply(self._in_height, frame_width)
            )
            self._width = ops.select(wide, frame_width, _rounded(self._in_width, frame_height, self._in_height))
            self._height = ops.select(wide, _rounded(self._in_height, frame_width, self._in_width), frame_height)
        two = _whole(2)
        self._left = ops.divide(ops.subtract(frame_width, self._width), two)
        self._top = ops.divide(ops.subtract(frame_height, self._height), two)

    def resized(self):
        return ops.concat([self._height, self._width], 0)

    def pads(self):
        none = _int64([0, 0])
        right = ops.subtract(ops.subtract(_whole(self._how.width), self._width), self._left)
        bottom = ops.subtract(ops.subtract(_whole(self._how.height), self._height), self._top)
        return ops.concat([none, self._top, self._left], 0), ops.concat([none, bottom, right], 0)

    def mapping(self):
        """[N, 8]: the picture's pixels to one of the network's (x, y), its corner (x, y), its size, the network's."""
        numbers = [
            ops.divide(_real(self._in_width), _real(self._width)),
            ops.divide(_real(self._in_height), _real(self._height)),
            *map(_real, (self._left, self._top, self._in_width, self._in_height)),
            *map(_real, (_whole(self._how.width), _whole(self._how.height))),
        ]
        row = ops.unsqueeze(ops.concat(numbers, 0), _int64([0]))
        return ops.tile(row, ops.concat([self._batch, _whole(1)], 0))


def _network_input(picture, sizes, how):
    value = ops.transpose(ops.convert(picture, "f32"), _int64([0, 3, 1, 2]))
    value = ov.opset11.interpolate(
        value, sizes.resized(), "bilinear_pillow", "sizes", axes=_int64([2, 3]), cube_coeff=-0.5
    )
    if how.resize == "letterbox":
        begin, end = sizes.pads()
        value = ov.opset12.pad(value, begin, end, "constant", ops.constant(np.float32(0)))
        value = ops.reshape(value, _int64([-1, 3, how.height, how.width]), False)
    if how.color == "bgr":
        value = ops.gather(value, _int64([2, 1, 0]), _int64(1))
    if how.is_bytes:
        value = ops.clamp(ops.round(value, "half_away_from_zero"), 0.0, 255.0)
    else:
        if any(how.mean):
            value = ops.subtract(value, _per_channel(how.mean))
        value = ops.multiply(value, _per_channel(how.scale))
    if how.layout == "nhwc":
        value = ops.transpose(value, _int64([0, 2, 3, 1]))
    return value if how.element_type == ov.Type.f32 else ops.convert(value, how.element_type.get_type_name())


def _pick(shape, index):
    return ops.gather(shape, _int64([index]), _int64(0))


def _whole(number):
    return _int64([number])


def _rounded(size, frame, other):
    """size * frame / other, rounded, at least 1."""
    twice = ops.multiply(ops.multiply(size, frame), _whole(2))
    return ops.maximum(ops.divide(ops.add(twice, other), ops.multiply(other, _whole(2))), _whole(1))


def _real(value):
    return ops.convert(value, "f32")


def _per_channel(numbers):
    return ops.constant(np.float32(numbers).reshape(1, 3, 1, 1))


def _int64(values):
    return ops.constant(np.asarray(values, np.int64))

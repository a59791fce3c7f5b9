"""Channels first or last: told from the shape, and changed by graph."""

import openvino as ov

from reporting import invalid

# A dimension of that size is taken for the channels of a picture.
CHANNELS = (1, 3, 4)
FORMATS = {"nchw": "FORMAT_NCHW", "nhwc": "FORMAT_NHWC", None: "FORMAT_NONE"}


def of_shape(shape):
    """`nchw`, `nhwc`, or `None` where the shape (numbers, -1 for open ones) does not tell."""
    if len(shape) != 4:
        return None
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first == last:
        return None
    return "nchw" if first else "nhwc"


def of_port(port):
    return of_shape(numbers(port.get_partial_shape()))


def numbers(partial_shape):
    if partial_shape.rank.is_dynamic:
        return []
    return [dim.get_length() if dim.is_static else -1 for dim in partial_shape]


def pictures(model):
    """The inputs that look like pictures, with their layouts."""
    return [(port, of_port(port)) for port in model.inputs if of_port(port) is not None]


def change(model, wanted, reporter):
    """The model with its pictures in the wanted layout, by a transposition inside where they are in the other."""
    if wanted is None:
        return model
    found = pictures(model)
    if not found:
        shapes = ", ".join(f"'{port.get_any_name()}' {port.get_partial_shape()}" for port in model.inputs)
        raise invalid(
            f"the layout {wanted} was asked for, but no input looks like a picture (4 dimensions of which one, "
            "the channels, "
            f"is 1, 3 or 4): {shapes}"
        )
    changed = [(port.get_any_name(), layout) for port, layout in found if layout != wanted]
    if not changed:
        return model
    outputs = [set(port.get_names()) for port in model.outputs]
    steps = ov.preprocess.PrePostProcessor(model)
    for name, layout in changed:
        steps.input(name).tensor().set_layout(ov.Layout(wanted.upper()))
        steps.input(name).model().set_layout(ov.Layout(layout.upper()))
        reporter.notice(f"input '{name}' was {layout} and is {wanted} now: the model itself transposes it")
    model = steps.build()
    for port, names in zip(model.outputs, outputs):
        port.get_tensor().set_names(names)
    return model


def in_layout(dims, layout, other):
    """Dimensions of one picture, without the batch, moved from one layout to the other."""
    if layout == other:
        return tuple(dims)
    return (dims[2], dims[0], dims[1]) if other == "nchw" else (dims[1], dims[2], dims[0])

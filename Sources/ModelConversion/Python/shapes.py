"""Dimensions of inputs, the batch, and profiles: what the model shall take, checked before anything is computed."""

from dataclasses import dataclass

import openvino as ov

import layouts
from job import check_size
from ports import input_named
from reporting import invalid, one_sentence

# NVIDIA's converter has this maximum where none is given.
DEFAULT_BATCH = 16
# What stands for an open dimension where one has to be chosen: it divides by the strides of common networks.
OPEN_SIZE = 224


@dataclass(frozen=True)
class Batch:
    """`maximum` 0: the first dimension is no batch, or a fixed one that belongs to the dimensions."""

    maximum: int

    @property
    def batches(self):
        return self.maximum > 0


def arrange(model, job, reporter):
    """Gives the model's inputs the job's dimensions, batch and profiles. Returns the batch and the usual shapes.

    The usual shapes, `{name: [dims with the batch of 1]}`, have no open dimension: to measure and to compare with.
    """
    profiles = _profiles(model, job)
    batch = _batch(model, job, profiles)
    shapes = {port.get_any_name(): _dimensions(port) for port in model.inputs}
    for name, dims in job.input_dims.items():
        port = input_named(model, name)
        shapes[port.get_any_name()] = _with_dims(port, dims, batch, job.layout)
    for name, profile in profiles.items():
        shapes[name] = _bounded(name, shapes[name], profile)
    if batch.batches:
        _open_batch(model, shapes, batch, profiles)
    _reshape(model, shapes)
    if batch.batches:
        _check_outputs_follow(model, batch)
    for port in model.inputs:
        _check_sizes(port, batch)
    if profiles:
        reporter.notice(
            "a profile's smallest and largest shapes bound the input's dimensions; its usual one is used to "
            "measure and to "
            "compare with, since the CPU needs no tuning for it"
        )
    return batch, {port.get_any_name(): _usual(port, profiles) for port in model.inputs}


def _profiles(model, job):
    found = {}
    for profile in job.profiles:
        name = input_named(model, profile.input).get_any_name()
        if name in found:
            raise invalid(f"input '{name}' has two profiles; an input of a model on the CPU has one")
        found[name] = profile
    return found


def _batch(model, job, profiles):
    if profiles and job.max_batch != 0:
        maxima = {profile.max[0] for profile in profiles.values()}
        if len(maxima) > 1:
            raise invalid(f"the profiles have different maximum batches: {', '.join(map(str, sorted(maxima)))}")
        maximum = maxima.pop()
        if job.max_batch not in (None, maximum):
            raise invalid(f"the maximum batch is {job.max_batch}, but the profiles' is {maximum}")
        return Batch(maximum)
    if job.max_batch is not None:
        return Batch(job.max_batch)
    return Batch(_own_batch([_dimensions(port) for port in model.inputs],
                            [_dimensions(port) for port in model.outputs]))  # fmt: skip


def _own_batch(inputs, outputs):
    """The batch that a model has of its own: open, 1, or none."""
    firsts = [shape[0] if shape else None for shape in inputs + outputs]
    if any(first is None for first in firsts):
        return 0
    if all(first.is_dynamic for first in firsts):
        bounds = [first.max_length for first in firsts if first.max_length > 0]
        return min([DEFAULT_BATCH, *bounds])
    return 1 if all(first.is_static and first.get_length() == 1 for first in firsts) else 0


def _dimensions(port):
    shape = port.get_partial_shape()
    return None if shape.rank.is_dynamic else list(shape)


def _with_dims(port, dims, batch, wanted_layout):
    """The input's dimensions with those of the job, which come without the batch and in either layout."""
    name, shape = port.get_any_name(), _dimensions(port)
    first = 1 if batch.batches or (shape is not None and len(shape) == len(dims) + 1) else 0
    if shape is None:
        return [ov.Dimension(-1)] * first + [ov.Dimension(number) for number in dims]
    if len(dims) + first != len(shape):
        raise invalid(f"input '{name}' takes {len(shape) - first} dimensions without the batch (it is "
                      f"{port.get_partial_shape()}), "
                      f"got {len(dims)}: {','.join(map(str, dims))}")  # fmt: skip
    own = layouts.of_port(port)
    if own is not None and len(dims) == 3:
        channels = shape[1] if own == "nchw" else shape[3]
        dims = layouts.in_layout(dims, _layout_of_dims(dims, channels.get_length(), wanted_layout or own, name), own)
    return shape[:first] + [ov.Dimension(number) for number in dims]


def _layout_of_dims(dims, channels, otherwise, name):
    first, last = dims[0] == channels, dims[2] == channels
    if first and last:
        return otherwise
    if not first and not last:
        raise invalid(f"input '{name}' takes pictures of {channels} channels, got {','.join(map(str, dims))}")
    return "nchw" if first else "nhwc"


def _bounded(name, shape, profile):
    if shape is not None and len(shape) != len(profile.min):
        raise invalid(f"input '{name}' has {len(shape)} dimensions with the batch, its profile has {len(profile.min)}")
    check_size(profile.max, 4, f"the profile of input '{name}', max")
    own = shape or [ov.Dimension(-1)] * len(profile.min)
    bounded = []
    for index, (dim, low, high) in enumerate(zip(own, profile.min, profile.max)):
        # The batch may be opened, other fixed dimensions stay what the model was made for.
        if index > 0 and dim.is_static and not low == high == dim.get_length():
            raise invalid(
                f"input '{name}' has {dim.get_length()} at axis {index}, its profile goes from {low} to {high}"
            )
        bounded.append(ov.Dimension(low) if low == high else ov.Dimension(low, high))
    return bounded


def _open_batch(model, shapes, batch, profiles):
    for port in model.inputs:
        name = port.get_any_name()
        if not shapes[name]:
            raise invalid(
                f"input '{name}' has no first dimension, so the model can't batch: the maximum batch must be 0"
            )
        if name not in profiles and not (batch.maximum == 1 and shapes[name][0].is_static):
            shapes[name][0] = ov.Dimension(-1)


def _reshape(model, shapes):
    wanted = {port: ov.PartialShape(shapes[port.get_any_name()]) for port in model.inputs
              if shapes[port.get_any_name()] is not None}  # fmt: skip
    if all(port.get_partial_shape() == shape for port, shape in wanted.items()):
        return
    try:
        model.reshape(wanted)
    except Exception as error:
        # The engine throws one type for all there is to complain about.
        listed = ", ".join(f"'{port.get_any_name()}' {shape}" for port, shape in wanted.items())
        raise invalid(f"the model does not work with {listed}: {one_sentence(error)}") from None


def _check_outputs_follow(model, batch):
    for port in model.outputs:
        shape = _dimensions(port)
        if shape is None:
            continue
        if not shape:
            raise invalid(
                f"output '{port.get_any_name()}' has no dimensions, so the model can't batch: the maximum batch "
                "must be 0"
            )
        if shape[0].is_static and not (batch.maximum == 1 and shape[0].get_length() == 1):
            raise invalid(
                f"the model can't batch up to {batch.maximum}: its output '{port.get_any_name()}' stays "
                f"{port.get_partial_shape()} "
                "whatever the inputs' first dimension; a maximum batch of 0 leaves it as it is"
            )


def _check_sizes(port, batch):
    """What one largest request would take, where that is known."""
    shape = [dim.get_length() if dim.is_static else max(dim.max_length, 1) for dim in _dimensions(port) or []]
    if batch.batches and shape:
        shape[0] = batch.maximum
    size = port.get_element_type().size
    check_size(shape, max(1, size), f"input '{port.get_any_name()}' at its largest")


def _usual(port, profiles):
    """One item of that input: the profile's usual shape, or the smallest that a picture's network may take."""
    name = port.get_any_name()
    if name in profiles:
        return [1 if index == 0 else number for index, number in enumerate(profiles[name].opt)]
    dims = []
    for index, dim in enumerate(_dimensions(port) or [ov.Dimension(1)]):
        if dim.is_static:
            dims.append(dim.get_length())
        elif index == 0:
            dims.append(max(1, dim.min_length))
        else:
            dims.append(max(dim.min_length, min(OPEN_SIZE, dim.max_length if dim.max_length > 0 else OPEN_SIZE)))
    return dims

"""The original and the result on the same inputs: how far their outputs lie apart."""

import itertools
from dataclasses import dataclass

import numpy as np

import layouts
from detections import head_of
from reporting import unsupported

ROUNDS = 4


@dataclass(frozen=True)
class Pair:
    """Two runners whose outputs go by the same names."""

    original: object
    result: object


def compare(pair, inputs, layout, mapping, reporter):
    """For each output the largest and the mean difference, and the original's range.

    `inputs` gives what the original takes, and what the result takes instead where that is not the same in the other
    layout: ROUNDS of them are used.
    """
    differences = Differences()
    for done, (arrays, instead) in enumerate(itertools.islice(inputs, ROUNDS)):
        given = {name: _in_layout(array, layout if mapping is None else None) for name, array in arrays.items()}
        differences.add(pair.original.run(arrays), pair.result.run({**given, **instead}))
        reporter.progress(done + 1, ROUNDS)
    return differences.report()


def warn(model, reporter):
    """Says where the numbers of a comparison are no measure of what a model finds."""
    head = head_of(model)
    if head is not None and not head.letterboxes:
        reporter.notice(
            "a detector's boxes come in the order of their scores: where two of them change places the differences are "
            "large, although the same is found"
        )


def inputs(model, usual, mapping, judged):
    """Inputs of the model: pictures that were held back from calibration, where there are any, or made-up ones."""
    if judged is not None:
        yield from judged.pairs(mapping)
        return
    generator = np.random.default_rng(20)
    while True:
        if mapping is not None:
            array, picture = mapping.pair(generator)
            yield {mapping.input: array}, {mapping.input: picture}
        else:
            yield {
                port.get_any_name(): _made_up(generator, port, usual[port.get_any_name()]) for port in model.inputs
            }, {}


def _made_up(generator, port, shape):
    """Numbers as they may come: floats of 0 to 1, bytes, small whole numbers for the rest; pictures in blocks."""
    kind = port.get_element_type().get_type_name()
    if kind == "string":
        raise unsupported("a model of strings can't be run on made-up inputs")
    dtype = np.dtype(port.get_element_type().to_dtype())
    if kind == "boolean":
        return generator.integers(0, 2, shape).astype(bool)
    values = generator.random(shape, dtype=np.float32)
    layout = layouts.of_shape(shape)
    if layout is not None:
        axes = (2, 3) if layout == "nchw" else (1, 2)
        coarse = [-(-size // 16) if axis in axes else size for axis, size in enumerate(shape)]
        values = generator.random(coarse, dtype=np.float32)
        for axis in axes:
            values = np.repeat(values, 16, axis=axis).take(range(shape[axis]), axis=axis)
    if np.issubdtype(dtype, np.integer):
        values = np.floor(values * (256 if kind == "u8" else 100))
    return np.ascontiguousarray(values).astype(dtype)


def _in_layout(array, wanted):
    before = layouts.of_shape(array.shape)
    if wanted is None or before in (None, wanted):
        return array
    return np.ascontiguousarray(array.transpose((0, 2, 3, 1) if wanted == "nhwc" else (0, 3, 1, 2)))


class Differences:
    """Collected over several inputs."""

    def __init__(self):
        self._outputs = {}

    def add(self, original, result):
        for name, expected in original.items():
            found = result[name]
            entry = self._outputs.setdefault(name, {"largest": 0.0, "sum": 0.0, "count": 0, "low": None, "high": None})
            if expected.shape != found.shape:
                raise unsupported(
                    f"output '{name}' has the shape {list(found.shape)} for the result and {list(expected.shape)} "
                    "for the "
                    "original, so they can't be compared"
                )
            if expected.size == 0 or expected.dtype.kind not in "fiub":
                continue
            expected = expected.astype(np.float64)
            difference = np.abs(expected - found.astype(np.float64))
            if not np.isfinite(difference).all():
                both = np.isfinite(expected) == np.isfinite(found.astype(np.float64))
                difference = np.where(
                    np.isfinite(difference), difference, np.where(both, 0.0, np.finfo(np.float32).max)
                )
            finite = expected[np.isfinite(expected)]
            entry["largest"] = max(entry["largest"], float(difference.max()))
            entry["sum"] += float(difference.sum())
            entry["count"] += expected.size
            if finite.size:
                low, high = float(finite.min()), float(finite.max())
                entry["low"] = low if entry["low"] is None else min(entry["low"], low)
                entry["high"] = high if entry["high"] is None else max(entry["high"], high)

    def report(self):
        return [
            {
                "output": name,
                "max_difference": entry["largest"],
                "mean_difference": entry["sum"] / entry["count"] if entry["count"] else 0.0,
                "original_range": [entry["low"] or 0.0, entry["high"] or 0.0],
            }
            for name, entry in self._outputs.items()
        ]

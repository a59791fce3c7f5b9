"""The original and the result on the same inputs: how far their outputs lie apart."""

import numpy as np

import engine
import layouts
import precision
from reporting import unsupported

ROUNDS = 4


def compare(core, original, result, job, usual, mapping, reporter):
    """For each output the largest and the mean difference, over a few random inputs, and the original's range."""
    reporter.step("comparing the result with the original")
    first = engine.Runner(core, original, "f32", job.threads)
    second = engine.Runner(core, result, precision.HINTS[job.precision], job.threads)
    types = {port.get_any_name(): port.get_element_type() for port in original.inputs}
    layout = {port.get_any_name(): (layouts.of_port(port), layouts.of_port(changed))
              for port, changed in zip(original.inputs, result.inputs)}  # fmt: skip
    differences = Differences()
    generator = np.random.default_rng(20)
    for round_number in range(ROUNDS):
        arrays = {name: random_array(generator, types[name], usual[name]) for name in first.inputs}
        given = {name: _in_layout(array, *layout[name]) for name, array in arrays.items()}
        if mapping is not None:
            arrays[mapping.input], given[mapping.input] = mapping.pair(generator, usual[mapping.input])
        differences.add(first.run(arrays), second.run(given))
        reporter.progress(round_number + 1, ROUNDS)
    return differences.report()


def random_array(generator, element_type, shape):
    """Numbers as they may come: 0 to 1 for floats, bytes for bytes, small whole numbers for the rest."""
    name = element_type.get_type_name()
    if name == "string":
        raise unsupported("a model of strings can't be compared on made-up inputs")
    dtype = element_type.to_dtype()
    if name == "boolean":
        return generator.integers(0, 2, shape).astype(bool)
    if np.issubdtype(dtype, np.floating) or name == "bf16":
        return generator.random(shape, dtype=np.float32).astype(dtype)
    return generator.integers(0, 256 if name == "u8" else 100, shape).astype(dtype)


def _in_layout(array, before, after):
    if before == after or None in (before, after):
        return array
    axes = (0, 2, 3, 1) if after == "nhwc" else (0, 3, 1, 2)
    return np.ascontiguousarray(array.transpose(axes))


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
                    f"output '{name}' has the shape {list(found.shape)} for the result and {list(expected.shape)} for the "
                    "original, so they can't be compared")
            if expected.size == 0 or expected.dtype.kind not in "fiub":
                continue
            expected = expected.astype(np.float64)
            difference = np.abs(expected - found.astype(np.float64))
            if not np.isfinite(difference).all():
                both = np.isfinite(expected) == np.isfinite(found.astype(np.float64))
                difference = np.where(np.isfinite(difference), difference, np.where(both, 0.0, np.finfo(np.float32).max))
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

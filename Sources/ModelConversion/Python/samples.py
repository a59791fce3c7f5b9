"""Calibration data: which pictures are learned from, and which are held back to judge the result by."""

import hashlib
import os

import numpy as np

import pictures
from reporting import ConversionError, invalid

# Of how many one is held back, and how many at most.
HELD_BACK_EVERY = 5
HELD_BACK_LIMIT = 100
CALIBRATION_LIMIT = 1000


class Samples:
    """Files that become inputs of a model, one item each."""

    def __init__(self, paths, model, plan, augment):
        self._model = model
        self._plan = plan
        self._augment = augment
        self.paths = paths

    def items(self):
        """The items in order; with variations of each picture where that was asked for."""
        for path in self.paths:
            if path.lower().endswith(".npz"):
                yield self._arrays(path)
                continue
            picture = pictures.load(path)
            for variant in [picture, *(pictures.variants(picture) if self._augment else [])]:
                yield {self._plan[0]: self._plan[1].item(variant)}

    def pairs(self, mapping):
        """Each item, and what a model that pre-processes by itself takes instead."""
        for path in self.paths:
            if mapping is not None and path.lower().endswith(".npz"):
                continue
            item = next(Samples([path], self._model, self._plan, False).items())
            picture = {} if mapping is None else {mapping.input: np.asarray(pictures.load(path))[np.newaxis]}
            yield item, picture

    @property
    def count(self):
        return sum(5 if self._augment and not path.lower().endswith(".npz") else 1 for path in self.paths)

    def _arrays(self, path):
        name = os.path.basename(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except (OSError, ValueError, KeyError) as error:
            raise invalid(f"the arrays of '{name}' can't be read: {error}") from None
        item = {}
        for port in self._model.inputs:
            key = port.get_any_name()
            if key not in arrays:
                raise invalid(f"'{name}' has no array for input '{key}'; it has {', '.join(sorted(arrays)) or 'none'}")
            item[key] = arrays[key].astype(port.get_element_type().to_dtype())
            if not port.get_partial_shape().compatible(_shape(item[key])):
                raise invalid(f"'{name}': input '{key}' takes {port.get_partial_shape()}, got {list(item[key].shape)}")
        return item


def _shape(array):
    import openvino as ov

    return ov.PartialShape(list(array.shape))


def split(calibration, model, plan, reporter):
    """The samples to calibrate with and the samples to judge by.

    `plan` is (the input's name, its pictures.Plan), or `None` for a model that takes no pictures.
    """
    readable = _readable(pictures.files(calibration.path), plan, reporter)
    readable, held = in_order(readable), held_back(len(readable))
    learned, judged = readable[held:][:CALIBRATION_LIMIT], readable[:held]
    if not judged:
        judged = learned
        reporter.notice(
            "there is only one calibration picture, so the result is judged by the picture it was made with, "
            "which flatters it"
        )
    elif len(readable) < 30:
        reporter.notice(
            f"{len(readable)} calibration pictures are few; some hundred from where the model will work are better"
        )
    return (Samples(learned, model, plan, calibration.augment), Samples(judged, model, plan, calibration.augment), held)


def in_order(paths):
    """An order that has nothing to do with the names' own, which often tell one scene or camera from the next."""
    return sorted(paths, key=lambda path: hashlib.sha256(os.path.basename(path).encode()).digest())


def held_back(count):
    """How many of that many pictures are kept to judge by; none where there is only one."""
    return min(HELD_BACK_LIMIT, max(1, count // HELD_BACK_EVERY)) if count > 1 else 0


def _readable(paths, plan, reporter):
    kept = []
    for path in paths:
        if path.lower().endswith(".npz"):
            kept.append(path)
            continue
        if plan is None:
            raise invalid(
                f"'{os.path.basename(path)}' is a picture, but the model takes none: calibrate with arrays (.npz)"
            )
        try:
            pictures.load(path)
            kept.append(path)
        except ConversionError as error:
            reporter.notice(f"{error.message}; it is left out")
    if not kept:
        raise invalid("none of the calibration pictures can be read")
    return kept

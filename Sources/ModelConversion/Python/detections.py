"""What detectors say, decoded, to compare two of them by what they find and not by their numbers."""

from dataclasses import dataclass

import numpy as np

# A detection counts from this score on; the other model has found it too with a little less, so that a score at the
# very edge is no disagreement.
COUNTS_FROM = 0.5
FOUND_FROM = 0.4
# Of two boxes of one class that overlap by this much, a detector without a step for that keeps the surer one.
SUPPRESSED_FROM = 0.5
# Two models have found the same where their boxes overlap by this much: less would let a box pass that is cut off.
SAME_FROM = 0.75


@dataclass(frozen=True)
class Detection:
    label: int
    score: float
    box: tuple


class DetectNetHead:
    """A grid of cells with a coverage and the distances to a box's sides for each class (PeopleNet and its kin)."""

    BOX_SCALE, OFFSET = 35.0, 0.5
    letterboxes = True

    def __init__(self, coverage, boxes, width, height):
        self.coverage, self.boxes, self._width, self._height = coverage, boxes, width, height

    def detections(self, outputs, item):
        coverage, boxes = outputs[self.coverage][item], outputs[self.boxes][item]
        classes, rows, columns = coverage.shape
        found = []
        for label, row, column in zip(*np.nonzero(coverage >= FOUND_FROM)):
            x = column * self._width / columns + self.OFFSET
            y = row * self._height / rows + self.OFFSET
            left, top, right, bottom = boxes[4 * label : 4 * label + 4, row, column] * self.BOX_SCALE
            found.append(
                Detection(int(label), float(coverage[label, row, column]), (x - left, y - top, x + right, y + bottom))
            )
        return keep_best(found)


class SSDHead:
    """A fixed number of boxes with scores, and classes where there are any; overlaps are already dealt with."""

    letterboxes = False

    def __init__(self, boxes, scores, classes):
        self.boxes, self.scores, self._classes = boxes, scores, classes

    def detections(self, outputs, item):
        boxes, scores = outputs[self.boxes][item], outputs[self.scores][item]
        labels = outputs[self._classes][item] if self._classes else np.ones(len(scores))
        return [
            Detection(int(labels[index]), float(scores[index]), tuple(float(side) for side in boxes[index]))
            for index in np.nonzero(scores >= FOUND_FROM)[0]
        ]


def head_of(model):
    """The head of a detector whose outputs can be decoded, or `None`."""
    outputs = {port.get_any_name(): port.get_partial_shape() for port in model.outputs}
    shapes = {name: [d.get_length() if d.is_static else -1 for d in shape] for name, shape in outputs.items()
              if shape.rank.is_static}  # fmt: skip
    return _detect_net(model, shapes) or _ssd(shapes)


def _detect_net(model, shapes):
    import layouts

    pictures = layouts.pictures(model)
    if len(pictures) != 1:
        return None
    shape, layout = layouts.numbers(pictures[0][0].get_partial_shape()), pictures[0][1]
    height, width = (shape[2], shape[3]) if layout == "nchw" else (shape[1], shape[2])
    for coverage, one in shapes.items():
        for boxes, other in shapes.items():
            if len(one) == len(other) == 4 and one[1] > 0 and other[1] == 4 * one[1] and one[2:] == other[2:]:
                if min(*one[2:], width, height) > 0:
                    return DetectNetHead(coverage, boxes, width, height)
    return None


def _ssd(shapes):
    boxes = next((name for name, shape in shapes.items() if name == "detection_boxes" and len(shape) == 3), None)
    scores = next((name for name, shape in shapes.items() if name == "detection_scores" and len(shape) == 2), None)
    if boxes is None or scores is None or shapes[boxes][2] != 4:
        return None
    classes = "detection_classes" if len(shapes.get("detection_classes", ())) == 2 else None
    return SSDHead(boxes, scores, classes)


def keep_best(found):
    """Of boxes of one class that overlap, only the surest."""
    kept = []
    for detection in sorted(found, key=lambda entry: -entry.score):
        if all(other.label != detection.label or overlap(other.box, detection.box) < SUPPRESSED_FROM for other in kept):
            kept.append(detection)
    return kept


def overlap(one, other):
    """Intersection over union; the order of the axes does not matter."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0


class Agreement:
    """Of the detections of either model, how many the other one has found too."""

    def __init__(self):
        self.counted = 0
        self.shared = 0

    def add(self, original, result):
        for these, those in ((original, result), (result, original)):
            taken = set()
            for detection in these:
                if detection.score < COUNTS_FROM:
                    continue
                self.counted += 1
                match = max(
                    (n for n, other in enumerate(those) if n not in taken and other.label == detection.label),
                    key=lambda index: overlap(those[index].box, detection.box), default=None)  # fmt: skip
                if match is not None and overlap(those[match].box, detection.box) >= SAME_FROM:
                    taken.add(match)
                    self.shared += 1

    @property
    def share(self):
        return self.shared / self.counted if self.counted else None

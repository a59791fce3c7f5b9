"""INT8 after training: the ranges of a model's values are learned from calibration pictures, with NNCF."""

import os

import numpy as np

import layouts
import measuring
import preprocessing
import samples
from detections import Agreement, head_of
from reporting import ConversionError, one_sentence, unsupported

# Without a limit of the user's, what is still taken for the same model before a gentler way is tried.
TOLERATED_DROP = 0.02


def quantise(models, job, reporter):
    """The INT8 model, the report about it, and the samples that it was judged by.

    `models` is what a target knows about its own kind of model: see openvino_target.Models.
    """
    if models.is_quantised:
        raise unsupported("the model is quantised already: choose fp32, which leaves its quantised values as they are")
    plan = _plan(models.rules, job)
    reporter.step("reading the calibration pictures")
    learned, judged, held = samples.split(job.calibration, models.rules, plan, reporter)
    original = models.runner(models.model)
    best = None
    last, after = models.end()
    # What comes after the last layers costs little and may need exact numbers: a detector computes its boxes there.
    for name, ignored in (("all layers", after), ("the layers of the outputs stay in FP32", [*after, *last])):
        reporter.step(f"quantising with {learned.count} samples ({name})")
        candidate = _quantised(models, learned, ignored, reporter)
        reporter.step(
            "comparing with the original on pictures that were held back" if held else "comparing with the original"
        )
        runner = models.runner(candidate)
        agreement = _agreement(models.rules, original, runner, judged, reporter)
        if best is None or agreement > best[2]:
            best = (candidate, runner, agreement)
        if 1 - best[2] <= (TOLERATED_DROP if job.max_drop is None else job.max_drop):
            break
    candidate, runner, agreement = best
    drop = max(0.0, 1 - agreement)
    if job.max_drop is not None and drop > job.max_drop:
        raise unsupported(
            f"the INT8 model agrees with the original to {agreement:.3f} only, a drop of {drop:.3f} where at most "
            f"{job.max_drop} "
            "is allowed; more calibration pictures, or bf16, may do"
        )
    reporter.step("measuring the original and the result in turns")
    (before, after), rounds = measuring.alternate([original, runner], next(judged.items()), reporter)
    report = {
        "bytes_before": _bytes(job.model),
        "milliseconds_before": before,
        "milliseconds_after": after,
        "rounds": rounds,
        "agreement": agreement,
        "pictures": learned.count,
        "held_back": held,
        "drop": drop,
    }
    return candidate, report, judged


def _plan(rules, job):
    """The input that takes pictures and how; `None` for a model that takes none."""
    if len(rules.inputs) != 1 or not layouts.pictures(rules):
        return None
    how = preprocessing.resolved(rules, job.embed_preprocessing or job.calibration.preprocessing)
    return how.input, how.plan()


def _quantised(models, learned, ignored, reporter):
    # No word to anybody about what is done here.
    os.environ["NNCF_CI"] = "1"
    import nncf

    try:
        # Activations get a zero point of their own, which costs these engines nothing; weights one scale a channel. One
        # sample at a time: of several at once the library would take each value's first dimension for the batch, which
        # it is not in the last steps of a detector.
        result = nncf.quantize(
            models.copy(), nncf.Dataset(_Told(learned, reporter)), preset=nncf.QuantizationPreset.MIXED,
            subset_size=learned.count, ignored_scope=nncf.IgnoredScope(names=ignored, validate=False),
        )  # fmt: skip
    except ConversionError:
        raise
    except Exception as error:
        # The library's own errors are of many types.
        raise unsupported(f"NNCF can't quantise this model: {one_sentence(error)}") from None
    return models.with_names(result)


class _Told:
    """The samples, as often as they are asked for, with progress told."""

    def __init__(self, learned, reporter):
        self._learned, self._reporter = learned, reporter

    def __iter__(self):
        for index, item in enumerate(self._learned.items()):
            self._reporter.progress(index + 1, self._learned.count)
            yield item


def _agreement(model, original, result, judged, reporter):
    """1 for models that say the same: detections found by both, or outputs that point the same way."""
    head = head_of(model)
    detections, outputs = Agreement(), []
    for index, item in enumerate(judged.items()):
        expected, found = original.run(item), result.run(item)
        if head is not None:
            detections.add(head.detections(expected, 0), head.detections(found, 0))
        outputs.append(_likeness(expected, found))
        reporter.progress(index + 1, judged.count)
    if detections.share is not None:
        return detections.share
    if head is not None:
        reporter.notice("nothing was detected on the pictures held back, so the outputs' numbers are compared instead")
    return float(np.mean(outputs))


def _likeness(expected, found):
    """The mean cosine between the outputs, from 0 to 1; for scores of classes, whether the best one is the same."""
    marks = []
    for name, value in expected.items():
        one, other = value.astype(np.float64), found[name].astype(np.float64)
        if one.ndim == 2 and 1 < one.shape[1] and len(expected) == 1:
            marks.append(float(np.mean(one.argmax(1) == other.argmax(1))))
            continue
        lengths = np.linalg.norm(one) * np.linalg.norm(other)
        marks.append(
            max(0.0, float(np.vdot(one, other) / lengths)) if lengths > 0 else float(np.array_equal(one, other))
        )
    return float(np.mean(marks))


def _bytes(path):
    if os.path.isfile(path):
        beside = os.path.splitext(path)[0] + ".bin"
        return os.path.getsize(path) + (
            os.path.getsize(beside) if path.endswith(".xml") and os.path.isfile(beside) else 0
        )
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)

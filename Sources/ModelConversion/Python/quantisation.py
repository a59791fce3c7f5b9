"""INT8 after training: the ranges of a model's values are learned from calibration pictures, with NNCF."""

import os

import numpy as np

import engine
import measuring
import preprocessing
import samples
from detections import Agreement, head_of
from reporting import ConversionError, one_sentence, unsupported

# Without a limit of the user's, what is still taken for the same model before a gentler way is tried.
TOLERATED_DROP = 0.02


def quantise(core, model, job, batch, usual, reporter):
    """The INT8 model and the report about it. The given model stays as it is."""
    plan = None
    if len(model.inputs) == 1 and _looks_like_picture(model):
        how = preprocessing.resolved(model, job.embed_preprocessing or job.calibration.preprocessing)
        plan = (how.input, how.plan())
    reporter.step("reading the calibration pictures")
    learned, judged, held = samples.split(job.calibration, model, plan, reporter)
    size = job.calibration.batch if batch.batches else 1
    original = engine.Runner(core, model, "f32", job.threads)
    best = None
    for name, arguments in _ways(model):
        reporter.step(f"quantising with {learned.count} samples ({name})")
        candidate = _quantised(model, learned, size, arguments, reporter)
        reporter.step("comparing with the original on pictures that were held back" if held else "comparing with the original")
        runner = engine.Runner(core, candidate, "f32", job.threads)
        agreement = _agreement(model, original, runner, judged, reporter)
        if best is None or agreement > best[2]:
            best = (candidate, runner, agreement)
        if 1 - best[2] <= (TOLERATED_DROP if job.max_drop is None else job.max_drop):
            break
    candidate, runner, agreement = best
    drop = max(0.0, 1 - agreement)
    if job.max_drop is not None and drop > job.max_drop:
        raise unsupported(
            f"the INT8 model agrees with the original to {agreement:.3f} only, a drop of {drop:.3f} where at most {job.max_drop} "
            "is allowed; more calibration pictures, or bf16, may do")
    reporter.step("measuring the original and the result in turns")
    item = next(judged.items())
    (before, after), rounds = measuring.alternate([original, runner], item, reporter)
    return candidate, {
        "bytes_before": _bytes(job.model),
        "milliseconds_before": before,
        "milliseconds_after": after,
        "rounds": rounds,
        "agreement": agreement,
        "pictures": learned.count,
        "held_back": held,
        "drop": drop,
    }


def _looks_like_picture(model):
    import layouts

    return bool(layouts.pictures(model))


def _ways(model):
    """How to quantise, the fastest result first: all layers; and with the outputs' own layers left in FP32."""
    yield "all layers", {}
    yield "the layers of the outputs stay in FP32", {"ignored": last_layers(model)}


def last_layers(model):
    """The convolutions and matrix products that no other one comes after."""
    weighty, found, seen = {"Convolution", "GroupConvolution", "MatMul"}, set(), set()
    waiting = [result.input_value(0).get_node() for result in model.get_results()]
    while waiting:
        node = waiting.pop()
        if node.get_name() in seen:
            continue
        seen.add(node.get_name())
        if node.get_type_name() in weighty:
            found.add(node.get_friendly_name())
        else:
            waiting.extend(value.get_node() for value in node.input_values())
    return sorted(found)


def _quantised(model, learned, size, arguments, reporter):
    # No word to anybody about what is done here.
    os.environ["NNCF_CI"] = "1"
    import nncf

    total = -(-learned.count // size)
    data = _Told(learned, size, total, reporter)
    ignored = nncf.IgnoredScope(names=arguments["ignored"]) if arguments.get("ignored") else None
    try:
        # Activations get a zero point of their own, which costs these engines nothing; weights one scale a channel.
        result = nncf.quantize(
            model.clone(), nncf.Dataset(data), preset=nncf.QuantizationPreset.MIXED, subset_size=total, ignored_scope=ignored,
            fast_bias_correction=True,
            advanced_parameters=nncf.AdvancedQuantizationParameters(batchwise_statistics=size > 1))  # fmt: skip
        for port, own in zip(result.inputs + result.outputs, model.inputs + model.outputs):
            port.get_tensor().set_names(own.get_names())
        return result
    except ConversionError:
        raise
    except Exception as error:
        # The library's own errors are of many types.
        raise unsupported(f"NNCF can't quantise this model: {one_sentence(error)}") from None


class _Told:
    """The batches, as often as they are asked for, with progress told."""

    def __init__(self, learned, size, total, reporter):
        self._learned, self._size, self._total, self._reporter = learned, size, total, reporter

    def __iter__(self):
        for index, batch in enumerate(self._learned.batches(self._size)):
            self._reporter.progress(index + 1, self._total)
            yield batch


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
        marks.append(max(0.0, float(np.vdot(one, other) / lengths)) if lengths > 0 else float(np.array_equal(one, other)))
    return float(np.mean(marks))


def _bytes(path):
    if os.path.isfile(path):
        beside = os.path.splitext(path)[0] + ".bin"
        return os.path.getsize(path) + (os.path.getsize(beside) if path.endswith(".xml") and os.path.isfile(beside) else 0)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)

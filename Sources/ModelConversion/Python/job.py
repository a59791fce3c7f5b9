"""The order that the worker was given, checked: whatever is wrong in it is said before a model is touched."""

import json
import os
from dataclasses import dataclass, field

from reporting import invalid, unsupported

FORMATS = ("onnx", "tensorflow", "saved_model", "tflite", "openvino", "etlt")
TARGETS = ("openvino", "onnx")
PRECISIONS = ("fp32", "fp16", "bf16", "int8")
# One tensor of the largest batch, in bytes: what no picture or sequence of a real model comes near.
TENSOR_LIMIT = 1 << 31
DIMENSION_LIMIT = (1 << 31) - 1
BATCH_LIMIT = 4096


@dataclass(frozen=True)
class Preprocessing:
    """x' = (x - mean) * scale for each channel of a picture's bytes, in the order that the model takes the channels.

    `None` stands for what fits the model; see preprocessing.resolved.
    """

    scale: tuple | None = None
    mean: tuple | None = None
    color: str = "rgb"
    resize: str | None = None


@dataclass(frozen=True)
class Calibration:
    path: str | None
    batch: int = 8
    augment: bool = False
    preprocessing: Preprocessing = field(default_factory=Preprocessing)


@dataclass(frozen=True)
class Profile:
    """The smallest, usual and largest shape of an input, with the batch."""

    input: str
    min: tuple
    opt: tuple
    max: tuple


@dataclass(frozen=True)
class Job:
    model: str
    format: str
    target: str
    output_dir: str
    model_file: str
    precision: str
    etlt: dict | None
    input_dims: dict
    layout: str | None
    outputs: tuple
    max_batch: int | None
    profiles: tuple
    calibration: Calibration | None
    embed_preprocessing: Preprocessing | None
    compiled: bool
    threads: int
    opset: int | None
    verify: bool
    max_drop: float | None
    # Target onnx only: for other engines than ONNX Runtime, so without its own operations.
    portable: bool


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError) as error:
        raise invalid(f"the job '{path}' is no readable JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid(f"the job '{path}' is no JSON object")
    return parsed(value)


def parsed(value):
    job = Job(
        model=_text(value, "model"),
        format=_one_of(value, "format", FORMATS),
        target=_one_of(value, "target", TARGETS),
        output_dir=_text(value, "output_dir"),
        model_file=_text(value, "model_file"),
        precision=_one_of(value, "precision", PRECISIONS),
        etlt=value.get("etlt"),
        input_dims={name: dimensions(dims, f"dimensions of input '{name}'")
                    for name, dims in (value.get("input_dims") or {}).items()},
        layout=_one_of(value, "layout", ("nchw", "nhwc")) if value.get("layout") else None,
        outputs=tuple(value.get("outputs") or ()),
        max_batch=_max_batch(value.get("max_batch")),
        profiles=tuple(_profile(profile) for profile in value.get("profiles") or ()),
        calibration=_calibration(value.get("calibration")),
        embed_preprocessing=_preprocessing(value.get("embed_preprocessing")),
        compiled=bool(value.get("compiled")),
        threads=int(value.get("threads") or os.cpu_count() or 1),
        opset=value.get("opset"),
        verify=bool(value.get("verify")),
        max_drop=value.get("max_drop"),
        portable=bool(value.get("portable")),
    )  # fmt: skip
    _check(job)
    return job


def _check(job):
    for what, path in (("the model", job.model), ("the output folder", job.output_dir)):
        if not os.path.isabs(path):
            raise invalid(f"{what} must be an absolute path, got '{path}'")
    if not os.path.isdir(job.output_dir):
        raise invalid(f"the output folder '{job.output_dir}' does not exist")
    if os.path.basename(job.model_file) != job.model_file or job.model_file in ("", ".", ".."):
        raise invalid(f"the name of the model's file must be a plain file name, got '{job.model_file}'")
    suffix = ".xml" if job.target == "openvino" else ".onnx"
    if not job.model_file.endswith(suffix):
        raise invalid(f"a model for {job.target} is a file *{suffix}, got '{job.model_file}'")
    if len(set(job.outputs)) != len(job.outputs):
        raise invalid(f"an output is named twice: {', '.join(job.outputs)}")
    if job.max_drop is not None and not 0 <= job.max_drop <= 1:
        raise invalid(f"the largest allowed drop must be between 0 and 1, got {job.max_drop}")
    if job.precision == "int8" and (job.calibration is None or job.calibration.path is None):
        raise invalid(
            "INT8 needs calibration data: a folder of pictures like those that the model will see (-c FOLDER)"
        )
    if job.target == "onnx":
        _check_for_onnx(job)
    elif job.opset is not None:
        raise unsupported("the number of an ONNX operator set goes with --target onnx only")
    if job.format == "etlt" and not isinstance(job.etlt, dict):
        raise invalid("a job with an .etlt file needs what its header says")


def _check_for_onnx(job):
    if job.format not in ("onnx", "etlt"):
        raise unsupported(
            f"the target onnx takes ONNX files, and .etlt files that hold one, not the format {job.format}: choose "
            "--target openvino, which reads it"
        )
    if job.precision == "bf16":
        raise unsupported("ONNX Runtime has no BF16 on the CPU: choose fp32, fp16 or int8, or --target openvino")
    if job.compiled:
        raise unsupported("a model compiled for this processor is a matter of --target openvino; ONNX has no such form")


def _text(value, key):
    text = value.get(key)
    if not isinstance(text, str) or not text or "\0" in text:
        raise invalid(f"the job's '{key}' must be a text, got {text!r}")
    return text


def _one_of(value, key, allowed):
    text = value.get(key)
    if text not in allowed:
        raise invalid(f"'{key}' must be one of {', '.join(allowed)}, got {text!r}")
    return text


def dimensions(value, subject):
    """A tuple of at most 8 dimensions, each from 1 on, that together make no absurd tensor."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 8:
        raise invalid(f"{subject} must be 1 to 8 numbers, got {value!r}")
    for number in value:
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= DIMENSION_LIMIT:
            raise invalid(f"{subject}: each must be a whole number from 1 to {DIMENSION_LIMIT}, got {number!r}")
    check_size(value, 4, subject)
    return tuple(value)


def check_size(dims, bytes_each, subject):
    """Refuses what would take more memory than any real input, before anything is allocated for it."""
    size = bytes_each
    for number in dims:
        size *= max(1, number)
    if size > TENSOR_LIMIT:
        raise invalid(
            f"{subject} [{','.join(map(str, dims))}] would be a tensor of {size} bytes; the limit is {TENSOR_LIMIT}"
        )


def _max_batch(value):
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value <= BATCH_LIMIT:
        raise invalid(f"the maximum batch must be a whole number from 0 to {BATCH_LIMIT}, got {value!r}")
    return value


def _profile(value):
    name = value.get("input", "")
    shapes = {key: dimensions(value.get(key), f"the profile of input '{name}', {key}") for key in ("min", "opt", "max")}
    if len({len(shape) for shape in shapes.values()}) != 1:
        raise invalid(f"the profile of input '{name}' has shapes of different ranks: {_listed(shapes)}")
    for low, usual, high in zip(shapes["min"], shapes["opt"], shapes["max"]):
        if not low <= usual <= high:
            raise invalid(
                f"the profile of input '{name}' must have min <= opt <= max in each dimension: {_listed(shapes)}"
            )
    return Profile(input=name, **shapes)


def _listed(shapes):
    return ", ".join(f"{key} {'x'.join(map(str, shape))}" for key, shape in shapes.items())


def _preprocessing(value):
    if value is None:
        return None
    numbers = {}
    for key in ("scale", "mean"):
        numbers[key] = None if value.get(key) is None else tuple(float(number) for number in value[key])
        if numbers[key] is not None and len(numbers[key]) != 3:
            raise invalid(f"'{key}' of the preprocessing must be 3 numbers, one a channel, got {value[key]}")
    color, resize = value.get("color") or "rgb", value.get("resize")
    if color not in ("rgb", "bgr"):
        raise invalid(f"'color' of the preprocessing must be rgb or bgr, got {color!r}")
    if resize not in (None, "letterbox", "stretch"):
        raise invalid(f"'resize' of the preprocessing must be letterbox or stretch, got {resize!r}")
    return Preprocessing(scale=numbers["scale"], mean=numbers["mean"], color=color, resize=resize)


def _calibration(value):
    if value is None:
        return None
    batch = value.get("batch") or 8
    if not isinstance(batch, int) or not 1 <= batch <= 256:
        raise invalid(f"the calibration batch must be a whole number from 1 to 256, got {batch!r}")
    return Calibration(
        path=value.get("path"), batch=batch, augment=bool(value.get("augment")),
        preprocessing=_preprocessing(value.get("preprocessing")) or Preprocessing())  # fmt: skip

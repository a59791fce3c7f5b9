"""How the numbers of a model are kept, and in which precision the engine is asked to compute."""

import numpy as np
import openvino as ov

# What the engine is asked to compute in; None leaves it to the engine, which takes the fastest that the processor has.
# INT8 models compute in INT8 where they are quantised, and in FP32 elsewhere.
HINTS = {"fp32": "f32", "fp16": None, "bf16": "bf16", "int8": "f32"}

_WEIGHT_USERS = {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MatMul"}
_MOVERS = {"Reshape", "Transpose", "Unsqueeze", "Squeeze"}


def engine_parameters(name):
    """The hint as the parameters of a model's configuration have it."""
    return {"INFERENCE_PRECISION_HINT": HINTS[name]} if HINTS[name] else {}


def notice(name, capabilities):
    """What a user of this processor should know about a precision, or `None`."""
    if name == "fp16" and "FP16" not in capabilities:
        computed = "BF16" if "BF16" in capabilities else "FP32"
        return f"weights are kept in FP16; this processor has no arithmetic for that and computes in {computed}"
    if name == "bf16" and "BF16" not in capabilities:
        return "weights are kept in BF16; this processor has no arithmetic for that and computes in FP32"
    return None


def save(model, path, precision):
    """Writes `path` (.xml) and the .bin beside it; their names."""
    if precision == "bf16":
        model = model.clone()
        keep_weights_in_bf16(model)
    ov.save_model(model, path, compress_to_fp16=precision == "fp16")


def keep_weights_in_bf16(model):
    """Rounds the weights of convolutions and matrix products to BF16, which is what the engine computes with anyway.

    Other constants, such as the anchors of a detector, keep their precision. Returns how many were changed.
    """
    changed = 0
    for operation in model.get_ordered_ops():
        if operation.get_type_name() not in _WEIGHT_USERS:
            continue
        for entry in operation.inputs():
            changed += _narrow(_constant_behind(entry))
    return changed


def _constant_behind(entry):
    source = entry.get_source_output().get_node()
    while source.get_type_name() in _MOVERS:
        source = source.input_value(0).get_node()
    return source


def _narrow(constant):
    if constant.get_type_name() != "Constant" or constant.get_element_type() != ov.Type.f32:
        return 0
    users = list(constant.output(0).get_target_inputs())
    narrow = ov.op.Constant(bf16_tensor(constant.data))
    narrow.set_friendly_name(constant.get_friendly_name() + "/bf16")
    wide = ov.opset13.convert(narrow, "f32", name=constant.get_friendly_name())
    for user in users:
        user.replace_source_output(wide.output(0))
    return 1


def bf16_tensor(values):
    """FP32 values rounded to the nearest BF16, ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).reshape(values.shape)
    rounded = ((bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    # A rounding must not make a number of what is none.
    rounded = np.where(np.isnan(values), np.uint16(0x7FC0), rounded).astype(np.uint16)
    tensor = ov.Tensor(ov.Type.bf16, ov.Shape(values.shape))
    tensor.data.view(np.uint16)[...] = rounded
    return tensor

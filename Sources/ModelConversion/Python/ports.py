"""Inputs and outputs: found by name, chosen, put into order, and described in the words of config.pbtxt."""

import openvino as ov

from reading import rename
from reporting import invalid, unsupported

TYPES = {
    "boolean": "BOOL", "u8": "UINT8", "u16": "UINT16", "u32": "UINT32", "u64": "UINT64", "i8": "INT8", "i16": "INT16",
    "i32": "INT32", "i64": "INT64", "f16": "FP16", "f32": "FP32", "f64": "FP64", "bf16": "BF16", "string": "STRING",
}  # fmt: skip


def input_named(model, name):
    """An input by its name; the empty name is that of the only input."""
    if not name:
        if len(model.inputs) != 1:
            raise invalid(f"the model has {len(model.inputs)} inputs ({listed(model.inputs)}): say which one is meant")
        return model.inputs[0]
    for port in model.inputs:
        if name.removesuffix(":0") in port.get_names():
            return port
    raise invalid(f"the model has no input '{name}'; it has {listed(model.inputs)}")


def listed(ports):
    return ", ".join(f"'{port.get_any_name()}'" for port in ports)


def select_outputs(model, wanted, reporter):
    """The model with the wanted outputs in the wanted order; without any wanted, as it is.

    Values inside the model can be asked for too, by the name of their tensor or operation.
    """
    if not wanted:
        return model
    results, names = [], []
    for name in (full.removesuffix(":0") for full in wanted):
        port = next((port for port in model.outputs if name in port.get_names()), None)
        if port is not None:
            results.append(port.get_node())
        else:
            source = _inner_value(model, name)
            results.append(ov.opset13.result(source, name=name))
        names.append(name)
    result = ov.Model(
        results, model.get_sinks(), _reachable_inputs(model, results, reporter), model.get_friendly_name()
    )
    for port, name in zip(result.outputs, names):
        rename(port, name)
    return result


def _inner_value(model, name):
    for operation in model.get_ordered_ops():
        for output in operation.outputs():
            if {name, name + ":0"} & output.get_names():
                return output
        if operation.get_friendly_name() == name and operation.get_output_size() == 1:
            return operation.output(0)
    raise invalid(f"the model has no output '{name}'; it has {listed(model.outputs)}")


def _reachable_inputs(model, results, reporter):
    seen, waiting = set(), [*results, *model.get_sinks()]
    while waiting:
        node = waiting.pop()
        if node.get_name() not in seen:
            seen.add(node.get_name())
            waiting.extend(value.get_node() for value in node.input_values())
    for parameter in model.get_parameters():
        if parameter.get_name() not in seen:
            reporter.notice(f"input '{parameter.get_friendly_name()}' is left out: none of the wanted outputs needs it")
    return [parameter for parameter in model.get_parameters() if parameter.get_name() in seen]


def description(port, batches, format=None):
    """A port as config.pbtxt has it. -1 is a dimension that may vary."""
    type_name = port.get_element_type().get_type_name()
    if type_name not in TYPES:
        raise unsupported(f"'{port.get_any_name()}' has the element type {type_name}, which the server does not have")
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        raise unsupported(f"'{port.get_any_name()}' has no fixed number of dimensions, which a configuration can't say")
    dims = [dim.get_length() if dim.is_static else -1 for dim in shape]
    described = {"name": port.get_any_name(), "type": TYPES[type_name], "dims": dims[1:] if batches else dims}
    if format is not None:
        described["format"] = format
    return described

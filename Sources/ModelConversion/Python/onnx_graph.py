"""Changes to an ONNX graph: outputs, dimensions, layout, operator set, by the rules of the other target."""

import onnx
from onnx import TensorProto, helper, version_converter

import layouts
from reporting import invalid, one_sentence, unsupported

# The name that an open batch dimension goes by.
BATCH = "batch"
_NHWC_TO_NCHW, _NCHW_TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def inputs(model):
    """The inputs that a caller gives; older files list the constants there too."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def drop_constant_inputs(model):
    kept = inputs(model)
    del model.graph.input[:]
    model.graph.input.extend(kept)


def select_outputs(model, wanted):
    """The wanted outputs in the wanted order, and only what they need."""
    if wanted:
        known = {value.name: value for value in [*model.graph.value_info, *model.graph.output]}
        inferred = {value.name: value for value in infer(model).graph.value_info}
        chosen = []
        for name in wanted:
            value = known.get(name) or inferred.get(name)
            if value is None:
                own = ", ".join(f"'{output.name}'" for output in model.graph.output)
                raise invalid(f"the model has no output '{name}'; it has {own}")
            chosen.append(value)
        del model.graph.output[:]
        model.graph.output.extend(chosen)
    _prune(model)


def _prune(model):
    needed = {value.name for value in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(_read_by(node))
    kept.reverse()
    del model.graph.node[:]
    model.graph.node.extend(kept)
    constants = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)
    used = [value for value in model.graph.input if value.name in needed]
    del model.graph.input[:]
    model.graph.input.extend(used)


def _read_by(node):
    """The names that a node takes, those of its subgraphs too."""
    names, nodes = set(), [node]
    while nodes:
        one = nodes.pop()
        names.update(one.input)
        for attribute in one.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                nodes.extend(graph.node)
                names.update(value.name for value in graph.output)
    return names


def set_shapes(model, shapes):
    """Gives the inputs their dimensions: `{name: [number or None, ...]}`, None for an open one."""
    for value in model.graph.input:
        dims = shapes[value.name]
        kind = value.type.tensor_type.elem_type
        named = [number if number is not None else (BATCH if axis == 0 else f"{value.name}_{axis}")
                 for axis, number in enumerate(dims)]  # fmt: skip
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, named))
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    model.CopyFrom(infer(model))


def infer(model):
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        # Several types, of the library and of protobuf.
        raise invalid(f"the shapes of the ONNX model do not fit together: {one_sentence(error)}") from None


def change_layout(model, wanted, reporter):
    """Puts a transposition before what uses a picture in the other layout."""
    changed = False
    for value in model.graph.input:
        dims = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]
        layout = layouts.of_shape(dims)
        if wanted is None or layout in (None, wanted):
            continue
        order = _NHWC_TO_NCHW if layout == "nchw" else _NCHW_TO_NHWC
        inner = fresh(model, f"{value.name}_{layout}")
        replace_uses(model, value.name, inner)
        model.graph.node.insert(0, helper.make_node("Transpose", [value.name], [inner], name=inner, perm=order))
        back = [order.index(axis) for axis in range(4)]
        moved = [value.type.tensor_type.shape.dim[axis] for axis in back]
        shape = onnx.TensorShapeProto(dim=moved)
        value.type.tensor_type.shape.CopyFrom(shape)
        reporter.notice(f"input '{value.name}' was {layout} and is {wanted} now: the model itself transposes it")
        changed = True
    return changed


def replace_uses(model, old, new):
    for node in model.graph.node:
        _replace_in(node, old, new)
    for value in model.graph.output:
        if value.name == old:
            raise unsupported(f"output '{old}' is also an input, which can't be changed by graph")


def _replace_in(node, old, new):
    for index, name in enumerate(node.input):
        if name == old:
            node.input[index] = new
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                _replace_in(inner, old, new)


def fresh(model, wish):
    """A name that nothing in the graph goes by yet."""
    taken = {name for node in model.graph.node for name in [node.name, *node.output]}
    taken |= {tensor.name for tensor in model.graph.initializer} | {value.name for value in model.graph.input}
    name = wish
    while name in taken:
        name += "_"
    return name


def name_nodes(model):
    """Gives each node a name of its own, by which it can be left out of a change."""
    taken = set()
    for index, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}"
            while node.name in taken:
                node.name += "_"
        taken.add(node.name)


def to_opset(model, number):
    """The model in another version of ONNX's operator set."""
    own = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None)
    if number is None or own == number:
        return model
    try:
        return version_converter.convert_version(model, number)
    except Exception as error:
        # Several types, of the library and of protobuf.
        raise unsupported(f"the model can't go from operator set {own} to {number}: {one_sentence(error)}") from None


def opset(model):
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)


def is_text(value):
    return value.type.tensor_type.elem_type == TensorProto.STRING


def is_quantised(model):
    return any(node.op_type in ("QuantizeLinear", "QLinearConv", "QLinearMatMul") for node in model.graph.node)

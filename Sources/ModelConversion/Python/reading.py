"""Models of each format, read into OpenVINO's own form under the names that their users know."""

import os
import re

import onnx_files
from containment import check_folder, inside
from reporting import invalid, one_sentence, unsupported

NOUNS = {
    "onnx": "an ONNX file",
    "tensorflow": "a TensorFlow frozen graph",
    "saved_model": "a TensorFlow saved model",
    "tflite": "a TensorFlow Lite file",
    "openvino": "an OpenVINO IR",
}


def read(core, path, format):
    """The model of a file or folder, checked, with plain names (`image_tensor`, not `image_tensor:0`)."""
    path = os.path.realpath(path)
    _check_files(path, format)
    try:
        model = core.read_model(path)
    except Exception as error:
        # The engine throws one type for all there is to complain about.
        raise _unreadable(path, format, str(error)) from None
    _refuse_unknown_operations(model, path)
    if not model.inputs or not model.outputs:
        raise invalid(
            f"'{os.path.basename(path)}' has {len(model.inputs)} inputs and {len(model.outputs)} outputs; a model "
            "has both"
        )
    try:
        give_plain_names(model)
    except UnicodeDecodeError:
        raise invalid(f"'{os.path.basename(path)}' has an input or output whose name is no UTF-8 text") from None
    return model


def _check_files(path, format):
    name = os.path.basename(path)
    if format == "saved_model":
        if not os.path.isfile(os.path.join(path, "saved_model.pb")):
            raise invalid(f"the folder '{name}' is no saved model: it holds no saved_model.pb")
        check_folder(path, f"the saved model '{name}'")
        return
    if not os.path.isfile(path):
        raise invalid(f"'{name}' is no file")
    if format == "onnx":
        onnx_files.load(path, external_data=False)
    elif format == "openvino":
        inside(os.path.dirname(path), os.path.splitext(name)[0] + ".bin", f"'{name}'")


def _unreadable(path, format, text):
    name = os.path.basename(path)
    operations = re.search(r"No conversion rule found for operations: (.+)", text)
    if operations:
        return unsupported(f"'{name}' uses operations that OpenVINO does not know: {operations[1]}")
    message = f"'{name}' can't be read as {NOUNS[format]}: it is damaged or truncated"
    # This one only lists what the engine could have read.
    if "Unable to read the model" not in text:
        message += f" ({one_sentence(text).replace(path, name).rstrip('.!')})"
    return invalid(message)


def _refuse_unknown_operations(model, path):
    unknown = sorted(
        {operation.get_friendly_name() for operation in model.get_ops() if operation.get_type_name() == "FrameworkNode"}
    )
    if unknown:
        raise unsupported(
            f"'{os.path.basename(path)}' has operations that OpenVINO does not know: {', '.join(unknown)}"
        )


def give_plain_names(model):
    """Leaves each input and output the one name that its users know it by."""
    taken = set()
    for kind, ports in (("input", model.inputs), ("output", model.outputs)):
        for index, port in enumerate(ports):
            name = _plain_name(port, kind) or f"{kind}_{index}"
            if name in taken:
                name = f"{name}_{index}"
            taken.add(name)
            rename(port, name)


def rename(port, name):
    node = port.get_node()
    node.set_friendly_name(name)
    port.get_tensor().set_names({name})


def _plain_name(port, kind):
    """TensorFlow's ports are `<node>:<number>`, and an output also goes by the names of the operations behind it."""
    names = sorted(port.get_names())
    if not names:
        return ""
    friendly = port.get_node().get_friendly_name()
    for ending in ("/sink_port_0", ""):
        own = friendly.removesuffix(ending)
        if own in names:
            return own.removesuffix(":0")
    return min(names, key=lambda name: (name.count("/"), len(name), name)).removesuffix(":0")

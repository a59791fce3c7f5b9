#!/usr/bin/env python3
"""Writes Protos/*.proto from the descriptors in the Python package tritonclient, and the Swift code from them.

usage: Scripts/protos.py PROTOC_GEN_SWIFT

Needs a Python environment with the packages tritonclient[grpc] and grpcio-tools, and the program protoc-gen-swift that
the Swift package swift-protobuf builds, at the version that Package.swift names. Both the .proto files and the Swift
code are committed, so only a change of the protocol asks for this script; Protos/checksums ties the two together, and
the lint looks at it.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROTOS = ROOT / "Protos"
GENERATED = ROOT / "Sources" / "KServeMessages"

# Messages of the descriptors that stand for the values of a field's type.
TYPES = [
    "", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message",
    "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
]  # fmt: skip


def type_name(field, package):
    kind = TYPES[field.type]
    if kind not in ("message", "enum"):
        return kind
    return field.type_name.removeprefix(f".{package}.").removeprefix(".")


def field_line(field, message, package):
    entries = {f".{package}.{'.'.join(message['path'])}.{entry.name}": entry for entry in message["entries"]}
    if field.type_name in entries:
        key, value = entries[field.type_name].field
        return f"map<{type_name(key, package)}, {type_name(value, package)}> {field.name} = {field.number};"
    label = "repeated " if field.label == field.LABEL_REPEATED else ""
    if field.proto3_optional:
        label = "optional "
    packed = " [packed = true]" if field.options.packed else ""
    return f"{label}{type_name(field, package)} {field.name} = {field.number}{packed};"


def enum_lines(enum, indent):
    lines = [f"{indent}enum {enum.name} {{"]
    lines += [f"{indent}  {value.name} = {value.number};" for value in enum.value]
    return lines + [f"{indent}}}"]


def message_lines(descriptor, path, package, indent=""):
    path = [*path, descriptor.name]
    entries = [nested for nested in descriptor.nested_type if nested.options.map_entry]
    message = {"path": path, "entries": entries}
    lines = [f"{indent}message {descriptor.name} {{"]
    for enum in descriptor.enum_type:
        lines += enum_lines(enum, indent + "  ")
    for nested in descriptor.nested_type:
        if nested not in entries:
            lines += message_lines(nested, path, package, indent + "  ")
    choices = {}
    for field in descriptor.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            choices.setdefault(field.oneof_index, []).append(field)
    for field in descriptor.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            fields = choices.pop(field.oneof_index, None)
            if fields:
                lines.append(f"{indent}  oneof {descriptor.oneof_decl[field.oneof_index].name} {{")
                lines += [f"{indent}    {field_line(each, message, package)}" for each in fields]
                lines.append(f"{indent}  }}")
        else:
            lines.append(f"{indent}  {field_line(field, message, package)}")
    return lines + [f"{indent}}}"]


def service_lines(service, package):
    lines = [f"service {service.name} {{"]
    for method in service.method:
        kind_in = ("stream " if method.client_streaming else "") + method.input_type.removeprefix(f".{package}.")
        kind_out = ("stream " if method.server_streaming else "") + method.output_type.removeprefix(f".{package}.")
        lines.append(f"  rpc {method.name}({kind_in}) returns ({kind_out}) {{}}")
    return lines + ["}"]


def proto_text(descriptor):
    lines = ['syntax = "proto3";', "", f"package {descriptor.package};", ""]
    lines += [f'import "{dependency}";' for dependency in descriptor.dependency] + [""] * bool(descriptor.dependency)
    for service in descriptor.service:
        lines += [*service_lines(service, descriptor.package), ""]
    for enum in descriptor.enum_type:
        lines += [*enum_lines(enum, ""), ""]
    for message in descriptor.message_type:
        lines += [*message_lines(message, [], descriptor.package), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def descriptors():
    from google.protobuf import descriptor_pb2
    from tritonclient.grpc import model_config_pb2, service_pb2

    for module in (service_pb2, model_config_pb2):
        descriptor = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(descriptor)
        yield descriptor


CONFIGURATION = "model_config.proto"


def opaque(text):
    """The same messages with a model's configuration as bytes, which it is on the wire: ModelConfigurations writes it by
    its own schema, that also says what may stand in config.pbtxt."""
    return text.replace(f'import "{CONFIGURATION}";\n\n', "").replace("ModelConfig config = 1;", "bytes config = 1;")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    names = []
    for descriptor in descriptors():
        (PROTOS / descriptor.name).write_text(proto_text(descriptor))
        names.append(descriptor.name)
    # Not in tritonclient: these two are written by hand from the specifications of the health and reflection services.
    names += ["health.proto", "reflection.proto"]
    GENERATED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wires = [name for name in names if name != CONFIGURATION]
        for name in wires:
            (pathlib.Path(folder) / name).write_text(opaque((PROTOS / name).read_text()))
        command = [
            sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-swift={sys.argv[1]}", f"-I{folder}",
            "--swift_opt=Visibility=Package", "--swift_opt=UseAccessLevelOnImports=true", f"--swift_out={GENERATED}",
            *wires,
        ]  # fmt: skip
        subprocess.run(command, check=True)
    for name in names:
        descriptor_set(name)
    files = sorted([*PROTOS.glob("*.proto"), *GENERATED.glob("*.pb.swift")])
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(ROOT)}\n" for file in files]
    (PROTOS / "checksums").write_text("".join(sums))


def descriptor_set(name):
    """Appends the file's serialized descriptor to its Swift code, for the reflection service."""
    output = PROTOS / "descriptor.bin"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"--descriptor_set_out={output}", name], check=True
    )
    from google.protobuf import descriptor_pb2

    files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())
    output.unlink()
    text = base64_lines(files.file[0].SerializeToString())
    stem = name.removesuffix(".proto")
    variable = "".join(part.capitalize() for part in stem.split("_"))
    target = GENERATED / f"{stem}.descriptor.pb.swift"
    target.write_text(
        "// Made by Scripts/protos.py. Do not edit.\n// swift-format-ignore-file\n\n"
        f"/// The serialized descriptor of {name}, in base64.\n"
        f'package let {variable[0].lower() + variable[1:]}Descriptor = """\n' + text + '    """\n'
    )


def base64_lines(data):
    import base64

    text = base64.b64encode(data).decode()
    lines = [f"    {text[start : start + 100]}" for start in range(0, len(text), 100)]
    return "\\\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""The rules of import: each import in Sources says how far it reaches, and the arrows between the targets only point
down. The table below is the architecture; a new arrow is a decision, and it is made here."""

import re

from .swift_text import swift_files

IMPORT = re.compile(
    r"^[ \t]*((?:@\w+(?:\([^)]*\))?[ \t]+)*)((?:public|package|internal|fileprivate|private)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
    re.MULTILINE,
)

# What belongs to the toolchain and every target may use. Foundation is not among them: only the sample has it.
EVERYWHERE = {"Glibc", "Synchronization"}

BELOW_THE_QUEUE = {"JSONText", "Tensors"}
A_BACKEND = {"ModelRuntime", "Scheduling", "ModelConfiguration", "JSONText", "Tensors", "Logging"}

# For each target under Sources what it may import beside EVERYWHERE, from the top of the house to its foundation.
ARROWS = {
    "people_detection": {"Halcyon", "EngineSearch", "Vision", "JSONText", "Tensors", "ArgumentParser", "Logging", "Foundation"},
    "halcyon": {
        "HTTPFrontend", "GRPCFrontend", "MetricsExposition", "SpanExport", "VisionBackends", "ConversionCommand", "ModelConversion", "CPlatform", "EngineSearch", "KServeProtocol", "Transport", "Halcyon",
        "ModelRepository", "ModelConfiguration", "ModelRuntime", "JSONText", "Tensors", "NIOCore", "NIOPosix", "UnixSignals", "ArgumentParser", "Logging",
        "Tracing",
    },
    "HTTPFrontend": {
        "KServeProtocol", "Transport", "Halcyon", "ModelRuntime", "ModelConfiguration", "JSONText", "Tensors", "NIOCore",
        "NIOHTTP1",
    },
    # FoundationEssentials: the generated messages speak of their bytes in its terms.
    "GRPCFrontend": {
        "KServeProtocol", "KServeMessages", "Transport", "Halcyon", "ModelRuntime", "ModelConfiguration", "JSONText",
        "Tensors", "NIOCore", "NIOConcurrencyHelpers", "NIOHPACK", "NIOHTTP2", "SwiftProtobuf", "FoundationEssentials",
    },
    "KServeProtocol": {
        "Halcyon", "CUDADriver", "ModelRuntime", "ModelConfiguration", "JSONText", "Tensors", "CPlatform", "Logging", "Tracing",
        "Dispatch",
    },
    # What `halcyon convert` is too: a program of its own compiles none of the wires for it.
    "halcyon-convert": {"ConversionCommand", "CPlatform", "ArgumentParser"},
    "ConversionCommand": {"ModelConversion", "ModelRuntime", "Tensors", "ArgumentParser"},
    "ModelConversion": {"CompiledModels", "ModelFiles", "ModelConfiguration", "JSONText", "Tensors", "CPlatform"},
    "SpanExport": {
        "ModelRuntime", "JSONText", "Tensors", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging", "Tracing",
    },
    "Transport": {
        "ModelRuntime", "Tensors", "DequeModule", "NIOCore", "NIOPosix", "NIOConcurrencyHelpers", "NIOHTTP1", "NIOSSL", "NIOTLS",
        "CZlib", "Logging",
    },
    "VisionBackends": {"Vision", "ModelRuntime", "ModelConfiguration", "Tensors"},
    "Vision": {"Tensors", "CTurboJPEG", "CPNG", "CResample"},
    "MetricsExposition": {
        "Transport", "Halcyon", "CUDADriver", "ModelRuntime", "Scheduling", "Tensors", "NIOCore", "NIOHTTP1",
    },
    "Halcyon": {
        "ModelRepository", "OpenVINOBackend", "ONNXRuntimeBackend", "IdentityBackend", "RepeatBackend", "EngineSearch", "LibraryFiles",
        "CUDADriver", "ModelRuntime",
        "Scheduling", "ModelConfiguration", "JSONText", "Tensors", "Logging",
    },
    "ModelRepository": {"ModelRuntime", "ModelConfiguration", "Tensors", "CPlatform", "Logging"},
    # ModelRuntime: its lock, which Thread Sanitizer sees.
    "CUDADriver": {"ModelRuntime", "Tensors", "CCUDADriver"},
    "OpenVINOBackend": A_BACKEND | {"COpenVINO", "LibraryFiles", "CompiledModels", "ModelFiles"},
    "ONNXRuntimeBackend": A_BACKEND | {"COnnxRuntime", "LibraryFiles", "CUDADriver", "ModelFiles"},
    "IdentityBackend": A_BACKEND,
    "RepeatBackend": A_BACKEND,
    "ModelRuntime": {
        "Scheduling", "ModelConfiguration", "JSONText", "Tensors", "CPlatform", "DequeModule", "Logging",
        "Dispatch",
    },
    "Scheduling": {"ModelConfiguration", "Tensors", "DequeModule", "HeapModule"},
    "ModelConfiguration": BELOW_THE_QUEUE,
    "JSONText": set(),
    "EngineSearch": {"LibraryFiles"},
    "LibraryFiles": set(),
    "ModelFiles": {"Tensors", "CPlatform"},
    "CompiledModels": {"JSONText", "Tensors", "CPlatform"},
    # CPlatform: pages of memory that grow without a copy.
    "Tensors": {"CPlatform"},
}  # fmt: skip


def check():
    complaints = []
    for file in swift_files():
        for found in IMPORT.finditer(file.code):
            _, access, module = found.groups()
            offset = found.start(3)
            if file.room != "Sources":
                continue
            if not access:
                complaints.append(
                    file.at(offset, f"`import {module}` has no access level (public, package, internal, private)")
                )
            allowed = ARROWS.get(file.target)
            if allowed is None:
                complaints.append(file.at(offset, f"the target {file.target} is not in the table of {__name__}"))
            elif module not in allowed | EVERYWHERE:
                complaints.append(file.at(offset, f"{file.target} may not import {module}"))
    return complaints

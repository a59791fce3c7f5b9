"""The rules of import: each import in Sources says how far it reaches, and the arrows between the targets only point
down. The table below is the architecture; a new arrow is a decision, and it is made here."""

import re

from .swift_text import ROOT, swift_files

IMPORT = re.compile(
    r"^[ \t]*((?:@\w+(?:\([^)]*\))?[ \t]+)*)((?:public|package|internal|fileprivate|private)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
    re.MULTILINE,
)

# What belongs to the toolchain and every target may use. Foundation is not among them: only the sample has it.
EVERYWHERE = {"Glibc", "Synchronization"}

BELOW_THE_QUEUE = {"JSONText", "Tensors"}
A_BACKEND = {"ModelRuntime", "Scheduling", "ModelConfigurations", "JSONText", "Threads", "Tensors", "Logging"}

# For each target under Sources what it may import beside EVERYWHERE, from the top of the house to its foundation.
ARROWS = {
    "people_detection": {"Halcyon", "EngineSearch", "Vision", "JSONText", "Tensors", "ArgumentParser", "Logging", "Foundation"},
    "halcyon": {
        "LoadGeneration", "ConfigurationSearch", "Explain", "FlightRecords", "HTTPFrontend", "GRPCFrontend", "MetricsExposition", "SpanExport", "ObjectStorage", "VisionBackends", "ConversionCommand", "ModelConversion", "EngineInstallation", "CPlatform", "EngineSearch", "KServeProtocol", "Transport", "Halcyon",
        "ModelRepository", "ModelConfigurations", "ModelRuntime", "JSONText", "URIText", "Threads", "Tensors", "NIOCore", "NIOPosix", "UnixSignals", "ArgumentParser", "Logging",
        "Tracing",
    },
    "ConfigurationSearch": {"ModelConfigurations"},
    # FoundationEssentials: the generated messages speak of their bytes in its terms.
    "LoadGeneration": {
        "KServeMessages", "Vision", "Halcyon", "JSONText", "ProtobufWire", "URIText", "Threads", "Tensors", "CPlatform", "DequeModule", "NIOCore", "NIOPosix", "NIOSSL",
        "NIOHPACK", "SwiftProtobuf", "FoundationEssentials", "Histogram",
    },
    # Triton's C interface, as far as it needs the protocol's documents and the metrics.
    "TritonServer": {
        "KServeProtocol", "MetricsExposition", "VisionBackends", "Halcyon", "EngineSearch", "CUDADriver", "TritonInterface", "CTriton", "ModelRepository",
        "ModelRuntime", "ModelConfigurations", "JSONText", "Threads", "Tensors", "Logging",
    },
    "HTTPFrontend": {
        "Page", "FlightRecords", "KServeProtocol", "Transport", "Halcyon", "ModelRuntime", "ModelConfigurations", "JSONText", "URIText", "Threads", "Tensors",
        "NIOCore", "NIOHTTP1",
    },
    "Page": {"Halcyon", "ModelRepository", "ModelRuntime", "FlightRecords", "Scheduling", "JSONText", "Tensors"},
    # FoundationEssentials: the generated messages speak of their bytes in its terms.
    "GRPCFrontend": {
        "KServeProtocol", "KServeMessages", "Transport", "Halcyon", "ModelRuntime", "ModelConfigurations", "JSONText", "URIText",
        "Threads", "Tensors", "NIOCore", "NIOHPACK", "NIOHTTP2", "SwiftProtobuf", "FoundationEssentials",
    },
    "MetricsExposition": {
        "Transport", "Halcyon", "TritonInterface", "CUDADriver", "ModelRuntime", "Scheduling", "Threads", "Tensors", "NIOCore", "NIOHTTP1",
    },
    "KServeProtocol": {
        "Halcyon", "CUDADriver", "ModelRuntime", "ModelConfigurations", "JSONText", "ProtobufWire", "Threads", "Tensors", "CPlatform", "Logging", "Tracing",
        "Dispatch",
    },
    "SpanExport": {
        "JSONText", "Threads", "Tensors", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging", "Tracing",
    },
    # FoundationEssentials: swift-crypto speaks of bytes in its terms.
    "ObjectStorage": {
        "ModelRepository", "JSONText", "URIText", "Threads", "Tensors", "CPlatform", "CZlib", "AsyncHTTPClient", "Crypto", "CryptoExtras",
        "FoundationEssentials", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "Logging",
    },
    "Transport": {
        "Threads", "Tensors", "DequeModule", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "NIOTLS",
        "CZlib", "Logging",
    },
    "Explain": {"FlightRecords", "Scheduling", "ModelConfigurations", "Tensors", "HeapModule"},
    # What `halcyon convert` is too: a program of its own compiles none of the wires for it.
    "halcyon-convert": {"ConversionCommand", "CPlatform", "ArgumentParser"},
    "ConversionCommand": {"ModelConversion", "ModelRuntime", "Tensors", "ArgumentParser"},
    "ModelConversion": {"CompiledModels", "ModelFiles", "ModelConfigurations", "JSONText", "ProtobufWire", "Tensors", "CPlatform"},
    "EngineInstallation": set(),
    "VisionBackends": {"Vision", "ModelRuntime", "ModelConfigurations", "Tensors"},
    "Vision": {"Tensors", "CTurboJPEG", "CPNG", "CResample"},
    # Apart from Halcyon: an application without swift-service-lifecycle compiles none of it.
    "HalcyonService": {"Halcyon", "ServiceLifecycle"},
    "Halcyon": {
        "ModelRepository", "ModelIsolation", "OpenVINOBackend", "ONNXRuntimeBackend", "IdentityBackend", "RepeatBackend", "EngineSearch", "LibraryFiles",
        "CUDADriver", "TritonInterface", "ModelRuntime", "FlightRecords",
        "Scheduling", "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform", "Logging",
    },
    "TritonInterface": {
        "CTriton", "ModelRepository", "ModelRuntime", "ModelConfigurations", "LibraryFiles", "EngineSearch", "JSONText", "Threads", "Tensors",
        "CPlatform", "DequeModule", "Logging",
    },
    "ModelRepository": {"ModelRuntime", "ModelConfigurations", "Threads", "Tensors", "CPlatform", "Logging"},
    "ModelIsolation": {"ModelRuntime", "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform", "Logging"},
    "OpenVINOBackend": A_BACKEND | {"COpenVINO", "LibraryFiles", "CompiledModels", "ModelFiles", "ProtobufWire"},
    "ONNXRuntimeBackend": A_BACKEND | {"COnnxRuntime", "LibraryFiles", "CUDADriver", "ModelFiles"},
    "EngineSearch": {"LibraryFiles"},
    "ModelFiles": {"ProtobufWire", "Tensors", "CPlatform"},
    "CUDADriver": {"LibraryFiles", "Threads", "Tensors", "CCUDADriver"},
    "LibraryFiles": {"Tensors"},
    "CompiledModels": {"JSONText", "Tensors", "CPlatform"},
    "IdentityBackend": A_BACKEND,
    "RepeatBackend": A_BACKEND,
    "ModelRuntime": {
        "FlightRecords", "Scheduling", "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform", "DequeModule", "Logging",
        "Dispatch",
    },
    "FlightRecords": {"Scheduling", "ModelConfigurations", "JSONText", "Tensors"},
    "Threads": {"Tensors", "CPlatform", "DequeModule"},
    "Scheduling": {"ModelConfigurations", "Tensors", "DequeModule", "HeapModule"},
    "ModelConfigurations": BELOW_THE_QUEUE,
    "JSONText": set(),
    "URIText": set(),
    "ProtobufWire": set(),
    # CPlatform: pages of memory that grow without a copy.
    "Tensors": {"CPlatform"},
}  # fmt: skip


DECLARED = re.compile(r'\.(?:target|executableTarget)\(\s*name: "([\w-]+)"')


def upward(arrows, order):
    """What is wrong with the table itself: an arrow that does not point down the manifest's list, or another order."""
    places = {target: place for place, target in enumerate(order)}
    complaints = [f"Package.swift does not declare {target}" for target in arrows if target not in places]
    known = [target for target in arrows if target in places]
    complaints += [
        f"{target} stands above {following} in the table and below it in Package.swift"
        for target, following in zip(known, known[1:])
        if places[target] > places[following]
    ]
    return complaints + [
        f"{target} -> {below} points up: {below} stands above {target} in Package.swift"
        for target in known
        for below in sorted(arrows[target] & places.keys())
        if places[below] <= places[target]
    ]


def check():
    complaints = upward(ARROWS, DECLARED.findall((ROOT / "Package.swift").read_text()))
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

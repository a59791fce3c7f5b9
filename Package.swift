// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing = Target.Dependency.product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// Each entry of `Sources/` is one target; an arrow of dependency only ever points down this list.
let package = Package(
    name: "halcyon",
    products: [
        .library(name: "Halcyon", targets: ["Halcyon"]),
        .executable(name: "people_detection", targets: ["people_detection"]),
        .executable(name: "halcyon", targets: ["halcyon"]),
        .executable(name: "halcyon-convert", targets: ["halcyon-convert"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The sample.
        .executableTarget(
            name: "people_detection",
            dependencies: ["Halcyon", "EngineSearch", "Vision", "Tensors", "JSONText", arguments, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "engine_benchmark", dependencies: ["Halcyon", "JSONText", "CAllocationCounter", arguments],
            path: "Benchmarks/engine_benchmark", swiftSettings: strict),
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "swift_backend", dependencies: ["Halcyon"], path: "Examples/swift_backend",
            exclude: ["model_repository"], swiftSettings: strict),

        // The server.
        .executableTarget(
            name: "halcyon",
            dependencies: [
                "HTTPFrontend", "GRPCFrontend", "MetricsExposition", "SpanExport", "KServeProtocol", "Transport",
                "VisionBackends", "ConversionCommand", "ModelConversion", "CPlatform", "EngineSearch",
                "Halcyon", "ModelRepository", "ModelConfiguration", "ModelRuntime", "Tensors", "JSONText", nioPosix,
                nioCore,
                unixSignals, arguments, logging, tracing,
            ],
            swiftSettings: strict),
        .target(
            name: "HTTPFrontend",
            dependencies: [
                "KServeProtocol", "Transport", "Halcyon", "ModelRuntime", "ModelConfiguration", "JSONText", "Tensors",
                nioCore, nioHTTP1,
            ],
            swiftSettings: strict),
        .target(
            name: "GRPCFrontend",
            dependencies: [
                "KServeProtocol", "KServeMessages", "Transport", "Halcyon", "ModelRuntime", "ModelConfiguration",
                "JSONText", "Tensors", nioCore, nioLocks, nioHPACK, nioHTTP2, protobuf,
            ],
            swiftSettings: strict),
        .target(
            name: "KServeProtocol",
            dependencies: [
                "Halcyon", "CUDADriver", "ModelRuntime", "ModelConfiguration", "JSONText", "Tensors", "CPlatform",
                logging, tracing,
            ],
            swiftSettings: strict),
        .target(
            name: "SpanExport",
            dependencies: ["ModelRuntime", "JSONText", "Tensors", nioCore, nioPosix, nioHTTP1, logging, tracing],
            swiftSettings: strict),
        .target(name: "KServeMessages", dependencies: [protobuf], swiftSettings: strict),
        .target(
            name: "Transport",
            dependencies: [
                "ModelRuntime", "Tensors", collections, nioCore, nioPosix, nioLocks, nioHTTP1, nioSSL, nioTLS,
                logging, "CZlib",
            ],
            swiftSettings: strict),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Models made ready for this machine. The Python programs that do it are part of the executable.
        .executableTarget(
            name: "halcyon-convert", dependencies: ["ConversionCommand", "CPlatform", arguments],
            swiftSettings: strict),
        .target(
            name: "ConversionCommand", dependencies: ["ModelConversion", "ModelRuntime", "Tensors", arguments],
            swiftSettings: strict),
        .target(
            name: "ModelConversion",
            dependencies: [
                "CompiledModels", "ModelFiles", "ModelConfiguration", "JSONText", "Tensors", "CPlatform",
            ],
            resources: [.embedInCode("Python")], swiftSettings: strict),

        // What the fuzzers feed: Fuzzing/run.
        .target(
            name: "WireFuzzing",
            dependencies: [
                "HTTPFrontend", "GRPCFrontend", "KServeProtocol", "Transport", "Halcyon", "JSONText", "Tensors",
                nioCore, nioEmbedded, logging,
            ],
            path: "Fuzzing/WireFuzzing", swiftSettings: strict),
        .target(
            name: "ConfigurationFuzzing", dependencies: ["ModelConfiguration"], path: "Fuzzing/ConfigurationFuzzing",
            swiftSettings: strict),
        .target(
            name: "FileFuzzing", dependencies: ["CompiledModels", "Vision", "Tensors"], path: "Fuzzing/FileFuzzing",
            swiftSettings: strict),

        // Pictures.
        .target(
            name: "VisionBackends", dependencies: ["Vision", "ModelRuntime", "ModelConfiguration", "Tensors"],
            swiftSettings: strict),
        .target(name: "Vision", dependencies: ["Tensors", "CTurboJPEG", "CPNG", "CResample"], swiftSettings: strict),
        .target(name: "CResample"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

        // The wires of the engine.
        .target(
            name: "MetricsExposition",
            dependencies: [
                "Transport", "Halcyon", "CUDADriver", "ModelRuntime", "Scheduling", "Tensors", nioCore, nioHTTP1,
            ],
            swiftSettings: strict),

        // The engine, from the library product down.
        .target(
            name: "Halcyon",
            dependencies: [
                "ModelRepository", "OpenVINOBackend", "ONNXRuntimeBackend", "IdentityBackend", "RepeatBackend",
                "EngineSearch", "LibraryFiles", "CUDADriver", "ModelRuntime", "Scheduling", "ModelConfiguration",
                "JSONText", "Tensors", logging,
            ],
            swiftSettings: strict),
        .target(
            name: "ModelRepository",
            dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors", "CPlatform", logging],
            swiftSettings: strict),
        .target(
            name: "OpenVINOBackend",
            dependencies: [
                "ModelRuntime", "ModelConfiguration", "CompiledModels", "ModelFiles", "Tensors", "LibraryFiles",
                "COpenVINO",
                logging,
            ],
            swiftSettings: strict),
        .target(name: "COpenVINO"),
        .target(
            name: "ONNXRuntimeBackend",
            dependencies: [
                "ModelRuntime", "ModelConfiguration", "ModelFiles", "Tensors", "CUDADriver", "LibraryFiles",
                "COnnxRuntime",
                logging,
            ],
            swiftSettings: strict),
        .target(name: "COnnxRuntime"),
        .target(name: "EngineSearch", dependencies: ["LibraryFiles"], swiftSettings: strict),
        .target(name: "LibraryFiles", swiftSettings: strict),
        .target(name: "ModelFiles", dependencies: ["Tensors", "CPlatform"], swiftSettings: strict),
        .target(name: "CUDADriver", dependencies: ["ModelRuntime", "Tensors", "CCUDADriver"], swiftSettings: strict),
        .target(name: "CCUDADriver"),
        .target(name: "CompiledModels", dependencies: ["JSONText", "Tensors", "CPlatform"], swiftSettings: strict),
        .target(
            name: "IdentityBackend", dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors", logging],
            swiftSettings: strict),
        .target(
            name: "RepeatBackend", dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors"],
            swiftSettings: strict),
        .target(
            name: "ModelRuntime",
            dependencies: [
                "Scheduling", "ModelConfiguration", "JSONText", "Tensors", "CPlatform", collections, logging,
            ],
            swiftSettings: strict),
        .target(name: "CPlatform"),
        .target(
            name: "Scheduling", dependencies: ["Tensors", "ModelConfiguration", collections, heap],
            swiftSettings: strict),
        .target(name: "ModelConfiguration", dependencies: ["JSONText", "Tensors"], swiftSettings: strict),
        .target(name: "JSONText", swiftSettings: strict),
        .target(name: "Tensors", dependencies: ["CPlatform"], swiftSettings: strict),

        // Tests, in the same order.
        .target(
            name: "HalcyonTestKit",
            dependencies: ["ModelRuntime", "Scheduling", "ModelConfiguration", "Tensors", logging],
            path: "Tests/HalcyonTestKit", swiftSettings: strict),
        .target(name: "CFakeCUDA", dependencies: ["CCUDADriver"], path: "Tests/CFakeCUDA"),
        .target(
            name: "CUDATestKit", dependencies: ["CUDADriver", "CCUDADriver", "CFakeCUDA", "Tensors"],
            path: "Tests/CUDATestKit", swiftSettings: strict),
        .testTarget(
            name: "HalcyonCommandTests", dependencies: ["halcyon", "ModelConversion", "ModelRepository", "JSONText"],
            swiftSettings: strict),
        .testTarget(
            name: "PeopleDetectionTests", dependencies: ["people_detection", "HalcyonTestKit"], swiftSettings: strict),
        .testTarget(
            name: "HTTPFrontendTests", dependencies: ["HTTPFrontend", "KServeProtocol", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "GRPCFrontendTests",
            dependencies: [
                "GRPCFrontend", "KServeProtocol", "Transport", "Halcyon", "ModelRuntime", "Tensors", "HalcyonTestKit",
                nioCore, nioEmbedded, nioHPACK, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ModelConversionTests",
            dependencies: [
                "ModelConversion", "CompiledModels", "ModelConfiguration", "JSONText", "Tensors", "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "KServeProtocolTests",
            dependencies: [
                "KServeProtocol", "KServeMessages", "Halcyon", "CUDADriver", "CUDATestKit", "CFakeCUDA",
                "ModelRepository", "ModelRuntime", "JSONText", "Tensors", "HalcyonTestKit", protobuf, inMemoryTracing,
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SpanExportTests", dependencies: ["SpanExport", "JSONText", "Tensors", tracing],
            swiftSettings: strict),
        .testTarget(
            name: "TransportTests",
            dependencies: ["Transport", "Tensors", nioCore, nioEmbedded, nioHTTP1, logging], swiftSettings: strict),
        .testTarget(
            name: "VisionBackendsTests",
            dependencies: ["VisionBackends", "Vision", "Halcyon", "HalcyonTestKit", "CPNG"], swiftSettings: strict),
        .testTarget(name: "VisionTests", dependencies: ["Vision", "Tensors", "CPNG"], swiftSettings: strict),
        .testTarget(
            name: "MetricsExpositionTests",
            dependencies: [
                "MetricsExposition", "Halcyon", "CUDADriver", "ModelRuntime", "Scheduling", "Tensors",
                "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HalcyonTests",
            dependencies: ["Halcyon", "CUDADriver", "CUDATestKit", "CFakeCUDA", "HalcyonTestKit", "JSONText"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelRepositoryTests",
            dependencies: ["ModelRepository", "ModelRuntime", "ModelConfiguration", "Tensors", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "OpenVINOBackendTests",
            dependencies: [
                "OpenVINOBackend", "COpenVINO", "CompiledModels", "LibraryFiles", "ModelRuntime", "ModelConfiguration",
                "Tensors",
                "HalcyonTestKit",
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ONNXRuntimeBackendTests",
            dependencies: [
                "ONNXRuntimeBackend", "COnnxRuntime", "CUDADriver", "CUDATestKit", "CFakeCUDA", "Halcyon",
                "ModelRuntime",
                "ModelConfiguration", "Tensors", "HalcyonTestKit", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EngineSearchTests", dependencies: ["EngineSearch", "LibraryFiles", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "CUDADriverTests",
            dependencies: ["CUDADriver", "CUDATestKit", "CFakeCUDA", "ModelRuntime", "Tensors"], swiftSettings: strict),
        .testTarget(
            name: "ModelFilesTests", dependencies: ["ModelFiles", "Tensors", "HalcyonTestKit"], swiftSettings: strict),
        .testTarget(
            name: "IdentityBackendTests",
            dependencies: [
                "IdentityBackend", "ModelRuntime", "ModelConfiguration", "Tensors", "HalcyonTestKit", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RepeatBackendTests", dependencies: ["RepeatBackend", "Halcyon", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelRuntimeTests",
            dependencies: ["ModelRuntime", "Scheduling", "ModelConfiguration", "Tensors", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SchedulingTests", dependencies: ["Scheduling", "Tensors", "ModelConfiguration"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelConfigurationTests", dependencies: ["ModelConfiguration", "JSONText", "Tensors"],
            swiftSettings: strict),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"], swiftSettings: strict),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

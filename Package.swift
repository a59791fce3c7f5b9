// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The rooms of the wires and the server's program. Their tests run with checks that no value is written to while it is
/// read elsewhere; the server that is built for use does without. No library that other packages take has any of them.
let wire: [SwiftSetting] =
    strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// How the programs are linked that users run: by GNU's own linker, for which packages have flags of their own
/// (Scripts/build --static).
let program: [LinkerSetting] = [.unsafeFlags(["-use-ld=bfd"], .when(configuration: .release))]

let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing = Target.Dependency.product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// Each entry of `Sources/` is one target; an arrow of dependency only ever points down this list.
let package = Package(
    name: "halcyon",
    products: [
        .library(name: "Halcyon", targets: ["Halcyon"]),
        .library(name: "HalcyonService", targets: ["HalcyonService"]),
        .library(name: "ObjectStorage", targets: ["ObjectStorage"]),
        .executable(name: "people_detection", targets: ["people_detection"]),
        .executable(name: "halcyon", targets: ["halcyon"]),
        .executable(name: "halcyon-convert", targets: ["halcyon-convert"]),
        .library(name: "tritonserver", type: .dynamic, targets: ["TritonLibrary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // The sample.
        .executableTarget(
            name: "people_detection",
            dependencies: ["Halcyon", "EngineSearch", "Vision", "Tensors", "JSONText", arguments, logging],
            swiftSettings: strict, linkerSettings: program),
        .executableTarget(
            name: "engine_benchmark",
            dependencies: ["Halcyon", "JSONText", "CAllocationCounter", arguments, "Threads"],
            path: "Benchmarks/engine_benchmark", swiftSettings: strict, linkerSettings: program),
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "swift_backend", dependencies: ["Halcyon"], path: "Examples/swift_backend",
            exclude: ["model_repository"], swiftSettings: strict),

        // The server.
        .executableTarget(
            name: "halcyon",
            dependencies: [
                "LoadGeneration", "ConfigurationSearch",
                "HTTPFrontend", "GRPCFrontend", "MetricsExposition", "SpanExport", "KServeProtocol", "Transport",
                "VisionBackends", "ConversionCommand", "ModelConversion", "EngineInstallation", "CPlatform",
                "EngineSearch", "Explain", "FlightRecords", "ObjectStorage",
                "Halcyon", "ModelRepository", "ModelConfigurations", "ModelRuntime", "Threads", "Tensors", "JSONText",
                "URIText", nioPosix,
                nioCore,
                unixSignals, arguments, logging, tracing,
            ],
            swiftSettings: wire, linkerSettings: program),
        .target(
            name: "ConfigurationSearch", dependencies: ["ModelConfigurations"], swiftSettings: strict),
        .target(
            name: "LoadGeneration",
            dependencies: [
                "KServeMessages", "Vision", "Halcyon", "JSONText", "ProtobufWire", "URIText", "Threads", "Tensors",
                "CPlatform", collections, nioCore, nioPosix, nioSSL, nioHPACK, protobuf, histogram,
            ],
            swiftSettings: strict),
        .target(
            name: "TritonLibrary", dependencies: ["TritonServer"], exclude: ["exports.map"],
            linkerSettings: [
                .unsafeFlags([
                    "-use-ld=lld", "-static-stdlib", "-Xlinker",
                    "--version-script=\(Context.packageDirectory)/Sources/TritonLibrary/exports.map",
                    "-Xlinker", "-soname=libtritonserver.so", "-Xlinker", "-z", "-Xlinker", "nodelete",
                ])
            ]),
        .target(
            name: "TritonServer",
            dependencies: [
                "KServeProtocol", "MetricsExposition", "VisionBackends", "Halcyon", "EngineSearch", "CUDADriver",
                "TritonInterface", "CTriton", "ModelRepository", "ModelRuntime", "ModelConfigurations", "JSONText",
                "Threads", "Tensors",
                logging,
            ],
            swiftSettings: strict),
        .target(
            name: "HTTPFrontend",
            dependencies: [
                "Page", "KServeProtocol", "Transport", "Halcyon", "ModelRuntime", "FlightRecords",
                "ModelConfigurations",
                "JSONText", "URIText", "Threads", "Tensors",
                nioCore, nioHTTP1,
            ],
            swiftSettings: wire),
        .target(
            name: "Page",
            dependencies: [
                "Halcyon", "ModelRepository", "ModelRuntime", "FlightRecords", "Scheduling", "JSONText", "Tensors",
            ],
            resources: [.embedInCode("Files")], swiftSettings: strict),
        .target(
            name: "GRPCFrontend",
            dependencies: [
                "KServeProtocol", "KServeMessages", "Transport", "Halcyon", "ModelRuntime", "ModelConfigurations",
                "JSONText", "URIText", "Threads", "Tensors", nioCore, nioHPACK, nioHTTP2, protobuf,
            ],
            swiftSettings: wire),
        .target(
            name: "MetricsExposition",
            dependencies: [
                "Transport", "Halcyon", "TritonInterface", "CUDADriver", "ModelRuntime", "Scheduling", "Threads",
                "Tensors", nioCore,
                nioHTTP1,
            ],
            swiftSettings: wire),
        .target(
            name: "KServeProtocol",
            dependencies: [
                "Halcyon", "CUDADriver", "ModelRuntime", "ModelConfigurations", "JSONText", "ProtobufWire", "Threads",
                "Tensors", "CPlatform",
                logging, tracing,
            ],
            swiftSettings: wire),
        .target(
            name: "SpanExport",
            dependencies: ["JSONText", "Threads", "Tensors", nioCore, nioPosix, nioHTTP1, logging, tracing],
            swiftSettings: strict),
        .target(
            name: "ObjectStorage",
            dependencies: [
                "ModelRepository", "JSONText", "URIText", "Threads", "Tensors", "CPlatform", "CZlib", asyncHTTPClient,
                crypto,
                cryptoExtras, nioCore, nioPosix, nioHTTP1, nioSSL, logging,
            ],
            swiftSettings: strict),
        .target(name: "KServeMessages", dependencies: [protobuf], swiftSettings: strict),
        .target(
            name: "Transport",
            dependencies: [
                "Threads", "Tensors", collections, nioCore, nioPosix, nioHTTP1, nioSSL, nioTLS,
                logging, "CZlib",
            ],
            swiftSettings: wire),
        .target(
            name: "Explain", dependencies: ["FlightRecords", "Scheduling", "ModelConfigurations", "Tensors", heap],
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
                "CompiledModels", "ModelFiles", "ModelConfigurations", "JSONText", "ProtobufWire", "Tensors",
                "CPlatform",
            ],
            resources: [.embedInCode("Python")], swiftSettings: strict),

        // Engines made ready for this machine. The Python program that does it is part of the executable.
        .target(
            name: "EngineInstallation", resources: [.embedInCode("Program")], swiftSettings: strict),

        // What the fuzzers feed: Fuzzing/run.
        .target(
            name: "WireFuzzing",
            dependencies: [
                "HTTPFrontend", "GRPCFrontend", "KServeProtocol", "Transport", "Halcyon", "JSONText", "Tensors",
                nioCore, nioEmbedded, logging,
            ],
            path: "Fuzzing/WireFuzzing", swiftSettings: strict),
        .target(
            name: "ConfigurationFuzzing", dependencies: ["ModelConfigurations"], path: "Fuzzing/ConfigurationFuzzing",
            swiftSettings: strict),
        .target(
            name: "FileFuzzing", dependencies: ["CompiledModels", "Vision", "Tensors"], path: "Fuzzing/FileFuzzing",
            swiftSettings: strict),
        .target(
            name: "WorkerFuzzing", dependencies: ["ModelIsolation", "Tensors"], path: "Fuzzing/WorkerFuzzing",
            swiftSettings: strict),
        .target(
            name: "StorageFuzzing", dependencies: ["ObjectStorage", "Tensors"], path: "Fuzzing/StorageFuzzing",
            swiftSettings: strict),
        .target(
            name: "CacheFuzzing", dependencies: ["TritonInterface", "Tensors"], path: "Fuzzing/CacheFuzzing",
            swiftSettings: strict),

        // Pictures.
        .target(
            name: "VisionBackends", dependencies: ["Vision", "ModelRuntime", "ModelConfigurations", "Tensors"],
            swiftSettings: strict),
        .target(name: "Vision", dependencies: ["Tensors", "CTurboJPEG", "CPNG", "CResample"], swiftSettings: strict),
        .target(name: "CResample"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

        // The library as a service of swift-service-lifecycle: apart, so that an application without it compiles no
        // more than it needs.
        .target(name: "HalcyonService", dependencies: ["Halcyon", serviceLifecycle], swiftSettings: strict),

        // The engine, from the library product down.
        .target(
            name: "Halcyon",
            dependencies: [
                "ModelRepository", "ModelIsolation", "OpenVINOBackend", "ONNXRuntimeBackend", "IdentityBackend",
                "RepeatBackend", "EngineSearch", "LibraryFiles", "CUDADriver", "TritonInterface", "ModelRuntime",
                "FlightRecords", "Scheduling",
                "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform", logging,
            ],
            swiftSettings: strict),
        .target(
            name: "TritonInterface",
            dependencies: [
                "CTriton", "ModelRepository", "ModelRuntime", "ModelConfigurations", "LibraryFiles", "EngineSearch",
                "JSONText", "Threads", "Tensors", "CPlatform", collections, logging,
            ],
            swiftSettings: strict),
        .target(name: "CTriton"),
        .target(
            name: "ModelRepository",
            dependencies: ["ModelRuntime", "ModelConfigurations", "Threads", "Tensors", "CPlatform", logging],
            swiftSettings: strict),
        .target(
            name: "ModelIsolation",
            dependencies: [
                "ModelRuntime", "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform", logging,
            ],
            swiftSettings: strict),
        .target(
            name: "OpenVINOBackend",
            dependencies: [
                "ModelRuntime", "ModelConfigurations", "CompiledModels", "ModelFiles", "Threads", "Tensors",
                "LibraryFiles", "ProtobufWire", "COpenVINO",
                logging,
            ],
            swiftSettings: strict),
        .target(name: "COpenVINO"),
        .target(
            name: "ONNXRuntimeBackend",
            dependencies: [
                "ModelRuntime", "ModelConfigurations", "ModelFiles", "Threads", "Tensors", "CUDADriver", "LibraryFiles",
                "COnnxRuntime",
                logging,
            ],
            swiftSettings: strict),
        .target(name: "COnnxRuntime"),
        .target(name: "EngineSearch", dependencies: ["LibraryFiles"], swiftSettings: strict),
        .target(name: "ModelFiles", dependencies: ["ProtobufWire", "Tensors", "CPlatform"], swiftSettings: strict),
        .target(
            name: "CUDADriver", dependencies: ["LibraryFiles", "Threads", "Tensors", "CCUDADriver"],
            swiftSettings: strict),
        .target(name: "CCUDADriver"),
        .target(name: "LibraryFiles", dependencies: ["Tensors"], swiftSettings: strict),
        .target(name: "CompiledModels", dependencies: ["JSONText", "Tensors", "CPlatform"], swiftSettings: strict),
        .target(
            name: "IdentityBackend", dependencies: ["ModelRuntime", "ModelConfigurations", "Tensors", logging],
            swiftSettings: strict),
        .target(
            name: "RepeatBackend", dependencies: ["ModelRuntime", "ModelConfigurations", "Threads", "Tensors"],
            swiftSettings: strict),
        .target(
            name: "ModelRuntime",
            dependencies: [
                "FlightRecords", "Scheduling", "ModelConfigurations", "JSONText", "Threads", "Tensors", "CPlatform",
                collections, logging,
            ],
            swiftSettings: strict),
        .target(
            name: "FlightRecords", dependencies: ["Scheduling", "ModelConfigurations", "JSONText", "Tensors"],
            swiftSettings: strict),
        .target(name: "Threads", dependencies: ["Tensors", "CPlatform", collections], swiftSettings: strict),
        .target(
            name: "Scheduling", dependencies: ["Tensors", "ModelConfigurations", collections, heap],
            swiftSettings: strict),
        .target(name: "ModelConfigurations", dependencies: ["JSONText", "Tensors"], swiftSettings: strict),
        .target(name: "JSONText", swiftSettings: strict),
        .target(name: "URIText", swiftSettings: strict),
        .target(name: "ProtobufWire", swiftSettings: strict),
        .target(name: "Tensors", dependencies: ["CPlatform"], swiftSettings: strict),
        .target(name: "CPlatform"),

        // Tests, in the same order.
        .target(
            name: "HalcyonTestKit",
            dependencies: ["ModelRuntime", "Scheduling", "ModelConfigurations", "Threads", "Tensors", logging],
            path: "Tests/HalcyonTestKit", swiftSettings: strict),
        .target(name: "CFakeCUDA", dependencies: ["CCUDADriver"], path: "Tests/CFakeCUDA"),
        .target(
            name: "CUDATestKit", dependencies: ["CUDADriver", "CCUDADriver", "CFakeCUDA", "Tensors"],
            path: "Tests/CUDATestKit", swiftSettings: strict),
        .testTarget(
            name: "HalcyonCommandTests",
            dependencies: [
                "halcyon", "ModelConversion", "ModelRepository", "Transport", "JSONText", "Tensors", arguments,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EngineInstallationTests", dependencies: ["EngineInstallation"], swiftSettings: strict),
        .testTarget(
            name: "PeopleDetectionTests", dependencies: ["people_detection", "HalcyonTestKit"], swiftSettings: strict),
        .testTarget(
            name: "ConfigurationSearchTests", dependencies: ["ConfigurationSearch"], swiftSettings: strict),
        .testTarget(
            name: "LoadGenerationTests",
            dependencies: [
                "LoadGeneration", "ModelConfigurations", "Halcyon", "JSONText", "Threads", "Tensors", "HalcyonTestKit",
                nioCore, nioHPACK,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TritonServerTests",
            dependencies: [
                "TritonServer", "TritonInterface", "CTriton", "Halcyon", "JSONText", "Threads", "Tensors",
                "HalcyonTestKit",
            ],
            exclude: ["Libraries"], swiftSettings: strict),
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
                "ModelConversion", "CompiledModels", "ModelConfigurations", "JSONText", "Tensors", "HalcyonTestKit",
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
            name: "ObjectStorageTests",
            dependencies: [
                "ObjectStorage", "ModelRepository", "Tensors", "CZlib", "URIText", nioCore, nioPosix, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TransportTests",
            dependencies: ["Transport", "Tensors", nioCore, nioEmbedded, nioHTTP1, nioTLS, logging],
            swiftSettings: strict),
        .testTarget(
            name: "VisionBackendsTests",
            dependencies: ["VisionBackends", "Vision", "Halcyon", "HalcyonTestKit", "CPNG"], swiftSettings: strict),
        .testTarget(name: "VisionTests", dependencies: ["Vision", "Tensors", "CPNG"], swiftSettings: strict),
        .testTarget(
            name: "MetricsExpositionTests",
            dependencies: [
                "MetricsExposition", "Halcyon", "TritonInterface", "CUDADriver", "ModelRuntime", "Scheduling",
                "Threads", "Tensors",
                "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HalcyonServiceTests", dependencies: ["HalcyonService", "Halcyon", serviceLifecycle, logging],
            swiftSettings: strict),
        .testTarget(
            name: "HalcyonTests",
            dependencies: [
                "Halcyon", "CUDADriver", "CUDATestKit", "CFakeCUDA", "HalcyonTestKit", "JSONText", "Threads",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TritonInterfaceTests",
            dependencies: [
                "TritonInterface", "CTriton", "Halcyon", "ModelRuntime", "ModelConfigurations", "LibraryFiles",
                "JSONText",
                "Threads", "Tensors", "HalcyonTestKit", logging,
            ],
            exclude: ["Backends"], swiftSettings: strict),
        .testTarget(
            name: "ModelRepositoryTests",
            dependencies: [
                "ModelRepository", "ModelRuntime", "ModelConfigurations", "Threads", "Tensors", "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OpenVINOBackendTests",
            dependencies: [
                "OpenVINOBackend", "COpenVINO", "CompiledModels", "LibraryFiles", "ModelRuntime", "ModelConfigurations",
                "Threads", "Tensors",
                "HalcyonTestKit",
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ONNXRuntimeBackendTests",
            dependencies: [
                "ONNXRuntimeBackend", "COnnxRuntime", "LibraryFiles", "CUDADriver", "CUDATestKit", "CFakeCUDA",
                "Halcyon",
                "ModelRuntime",
                "ModelConfigurations", "ModelFiles", "Threads", "Tensors", "HalcyonTestKit", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EngineSearchTests", dependencies: ["EngineSearch", "LibraryFiles", "Tensors", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "CUDADriverTests",
            dependencies: ["CUDADriver", "CUDATestKit", "CFakeCUDA", "ModelRuntime", "Threads", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelFilesTests", dependencies: ["ModelFiles", "Tensors", "HalcyonTestKit"], swiftSettings: strict),
        .testTarget(
            name: "IdentityBackendTests",
            dependencies: [
                "IdentityBackend", "ModelRuntime", "ModelConfigurations", "Threads", "Tensors", "HalcyonTestKit",
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RepeatBackendTests", dependencies: ["RepeatBackend", "Halcyon", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelIsolationTests",
            dependencies: [
                "ModelIsolation", "ModelRuntime", "ModelConfigurations", "IdentityBackend", "RepeatBackend",
                "CPlatform",
                "Threads", "Tensors", "HalcyonTestKit", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ModelRuntimeTests",
            dependencies: [
                "ModelRuntime", "Scheduling", "ModelConfigurations", "Threads", "Tensors", "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ExplainTests",
            dependencies: ["Explain", "FlightRecords", "Scheduling", "ModelConfigurations", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "FlightRecordsTests",
            dependencies: ["FlightRecords", "Scheduling", "ModelConfigurations", "JSONText", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "SchedulingTests", dependencies: ["Scheduling", "Tensors", "ModelConfigurations"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelConfigurationsTests",
            dependencies: ["ModelConfigurations", "KServeMessages", "JSONText", "Tensors", protobuf],
            swiftSettings: strict),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"], swiftSettings: strict),
        .testTarget(name: "URITextTests", dependencies: ["URIText"], swiftSettings: strict),
        .testTarget(name: "ProtobufWireTests", dependencies: ["ProtobufWire"], swiftSettings: strict),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

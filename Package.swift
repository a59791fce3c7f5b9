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
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// Each entry of `Sources/` is one target; an arrow of dependency only ever points down this list.
let package = Package(
    name: "halcyon",
    products: [
        .library(name: "Halcyon", targets: ["Halcyon"]),
        .executable(name: "people_detection", targets: ["people_detection"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // The sample.
        .executableTarget(
            name: "people_detection", dependencies: ["Halcyon", "Vision", "Tensors", "JSONText", arguments, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "engine_benchmark", dependencies: ["Halcyon", "JSONText", "CAllocationCounter", arguments],
            path: "Benchmarks/engine_benchmark", swiftSettings: strict),
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "swift_backend", dependencies: ["Halcyon"], path: "Examples/swift_backend",
            exclude: ["model_repository"], swiftSettings: strict),

        // Pictures.
        .target(name: "Vision", dependencies: ["Tensors", "CTurboJPEG", "CPNG", "CResample"], swiftSettings: strict),
        .target(name: "CResample"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

        // The wires of the engine.
        .target(
            name: "MetricsExposition",
            dependencies: ["Halcyon", "ModelRuntime", "Scheduling", "Tensors"],
            swiftSettings: strict),

        // The engine, from the library product down.
        .target(
            name: "Halcyon",
            dependencies: [
                "ModelRepository", "OpenVINOBackend", "IdentityBackend", "ModelRuntime", "Scheduling",
                "ModelConfiguration", "JSONText", "Tensors", logging,
            ],
            swiftSettings: strict),
        .target(
            name: "ModelRepository",
            dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors", logging],
            swiftSettings: strict),
        .target(
            name: "OpenVINOBackend",
            dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors", "COpenVINO", logging],
            swiftSettings: strict),
        .target(name: "COpenVINO"),
        .target(
            name: "IdentityBackend", dependencies: ["ModelRuntime", "ModelConfiguration", "Tensors"],
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
        .target(name: "Tensors", swiftSettings: strict),

        // Tests, in the same order.
        .target(
            name: "HalcyonTestKit",
            dependencies: ["ModelRuntime", "Scheduling", "ModelConfiguration", "Tensors", logging],
            path: "Tests/HalcyonTestKit", swiftSettings: strict),
        .testTarget(name: "VisionTests", dependencies: ["Vision", "Tensors", "CPNG"], swiftSettings: strict),
        .testTarget(
            name: "MetricsExpositionTests",
            dependencies: [
                "MetricsExposition", "Halcyon", "ModelRuntime", "Scheduling", "Tensors",
                "HalcyonTestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HalcyonTests", dependencies: ["Halcyon", "HalcyonTestKit", "JSONText"], swiftSettings: strict),
        .testTarget(
            name: "ModelRepositoryTests",
            dependencies: ["ModelRepository", "ModelRuntime", "ModelConfiguration", "Tensors", "HalcyonTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "OpenVINOBackendTests",
            dependencies: [
                "OpenVINOBackend", "ModelRuntime", "ModelConfiguration", "Tensors", "HalcyonTestKit", logging,
            ],
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

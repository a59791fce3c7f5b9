package import ModelConfiguration
package import ModelRuntime
package import Tensors

/// Which engine runs a model, and by what names its file goes.
package struct EngineSelection: Hashable, Sendable {
    /// The name of a registered backend.
    package var backendName: String
    /// The names under which the model lies in a version folder, most usual first; empty for a model without a file.
    package var filenames: [String]
    /// What the operator should know of the choice; `nil` where it is as written.
    package var notice: String?

    /// A name of the reference that says engine and format at once.
    private struct Platform {
        var name: String
        var backend: String
        var filename: String
    }

    private static let platforms = [
        Platform(name: "onnxruntime_onnx", backend: "onnxruntime", filename: "model.onnx"),
        Platform(name: "tensorflow_graphdef", backend: "tensorflow", filename: "model.graphdef"),
        Platform(name: "tensorflow_savedmodel", backend: "tensorflow", filename: "model.savedmodel"),
        Platform(name: "tensorrt_plan", backend: "tensorrt", filename: "model.plan"),
        Platform(name: "pytorch_libtorch", backend: "pytorch", filename: "model.pt"),
    ]

    /// The engines of the reference whose models OpenVINO reads as well.
    private static let readByOpenVINO: Set<String> = ["onnxruntime", "tensorflow"]

    /// Chooses the engine and completes `platform` and `backend` in the configuration.
    ///
    /// - Parameter files: the names in the version folder, to go by where the configuration says nothing.
    /// - Throws: `invalidArgument` for a platform or a backend that does not exist, in the reference's words.
    package static func select(
        _ configuration: inout ModelConfiguration, files: [String], backends: [String: any Backend]
    ) throws(HalcyonError) -> EngineSelection {
        if configuration.platform.isEmpty, configuration.backend.isEmpty {
            try deduce(&configuration, files: files, backends: backends)
        }
        var filenames: [String] = []
        if let platform = platforms.first(where: { $0.name == configuration.platform }) {
            if configuration.backend.isEmpty { configuration.backend = platform.backend }
            filenames = [platform.filename]
        } else if configuration.backend.isEmpty {
            // A backend's own name serves as a platform too.
            guard backends[configuration.platform] != nil else { throw unknownPlatform(configuration) }
            configuration.backend = configuration.platform
        } else if let platform = platforms.first(where: { $0.backend == configuration.backend }) {
            filenames = platforms.filter { $0.backend == configuration.backend }.map(\.filename)
            if configuration.platform.isEmpty, filenames.count == 1 { configuration.platform = platform.name }
        }
        if !configuration.defaultModelFilename.isEmpty { filenames = [configuration.defaultModelFilename] }
        let name = configuration.backend
        if let backend = backends[name] {
            let hasFile = !backend.modelFilenames.isEmpty
            return EngineSelection(
                backendName: name, filenames: filenames.isEmpty && hasFile ? backend.modelFilenames : filenames)
        }
        guard readByOpenVINO.contains(name), let openVINO = backends["openvino"] else {
            throw HalcyonError(
                .invalidArgument,
                "unable to find backend library for backend '\(name)', try specifying runtime on the model configuration."
                    + " Backends: \(backends.keys.sorted().joined(separator: ", ")).")
        }
        return EngineSelection(
            backendName: openVINO.name, filenames: filenames,
            notice: "the backend '\(name)' is not part of this version, so OpenVINO runs the model")
    }

    private static func deduce(
        _ configuration: inout ModelConfiguration, files: [String], backends: [String: any Backend]
    ) throws(HalcyonError) {
        let named = configuration.defaultModelFilename
        let candidates = named.isEmpty ? files : [named]
        for candidate in candidates {
            let ending = suffix(of: candidate)
            let isMatch = { (filename: String) in
                named.isEmpty ? filename == candidate : !ending.isEmpty && suffix(of: filename) == ending
            }
            if let platform = platforms.first(where: { isMatch($0.filename) }) {
                configuration.platform = platform.name
                configuration.backend = platform.backend
                return
            }
            for backend in backends.values.sorted(by: { $0.name < $1.name })
            where backend.modelFilenames.contains(where: isMatch) {
                configuration.backend = backend.name
                return
            }
        }
        throw unknownPlatform(configuration)
    }

    private static func suffix(of name: String) -> Substring {
        name.lastIndex(of: ".").map { name[$0...] } ?? ""
    }

    private static func unknownPlatform(_ configuration: ModelConfiguration) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "unexpected platform type '\(configuration.platform)' for \(configuration.name); give platform or backend in "
                + "config.pbtxt, or the model file one of its usual names")
    }
}

package import ModelConfigurations
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

    package init(backendName: String, filenames: [String], notice: String? = nil) {
        self.backendName = backendName
        self.filenames = filenames
        self.notice = notice
    }

    /// A name of Triton's that says engine and format at once.
    private struct Platform {
        var name: String
        var backend: String
        var filename: String
    }

    /// In the order in which Triton looks for their files.
    private static let platforms = [
        Platform(name: "tensorflow_graphdef", backend: "tensorflow", filename: "model.graphdef"),
        Platform(name: "tensorflow_savedmodel", backend: "tensorflow", filename: "model.savedmodel"),
        Platform(name: "tensorrt_plan", backend: "tensorrt", filename: "model.plan"),
        Platform(name: "onnxruntime_onnx", backend: "onnxruntime", filename: "model.onnx"),
        Platform(name: "pytorch_libtorch", backend: "pytorch", filename: "model.pt"),
    ]

    /// The engines of Triton whose models OpenVINO reads as well.
    private static let readByOpenVINO: Set<String> = ["onnxruntime", "tensorflow"]

    /// Chooses the engine, and completes `platform` and `backend` in the configuration.
    ///
    /// - Parameters:
    ///   - files: the names in the version folder, to go by where the configuration says nothing.
    ///   - version: that folder's.
    ///   - backends: by name.
    ///   - folders: where those were looked for that are no part of the server.
    ///   - modelFiles: the names in the model's folder, which may hold a library.
    /// - Throws: `invalidArgument` for a platform or a backend that does not exist, in Triton's words.
    package static func select(
        _ configuration: inout ModelConfiguration, files: [String], version: Int64 = 1,
        backends: [String: any Backend], folders: [String] = [], modelFiles: [String] = []
    ) throws(HalcyonError) -> EngineSelection {
        if configuration.ensemble != nil {
            configuration.platform = "ensemble"
            return EngineSelection(backendName: "ensemble", filenames: [])
        }
        if configuration.backend.isEmpty {
            try completeBackend(&configuration, files: files, version: version, backends: backends)
        }
        try checkNames(configuration)
        try checkPair(configuration)
        completePlatform(&configuration, files: files)
        let name = configuration.backend
        var filenames = platforms.filter { $0.backend == name }.map(\.filename)
        if let platform = platforms.first(where: { $0.name == configuration.platform }) {
            filenames = [platform.filename]
        }
        if !configuration.defaultModelFilename.isEmpty { filenames = [configuration.defaultModelFilename] }
        let backend = backends[name]
        if let backend {
            if filenames.isEmpty { filenames = backend.modelFilenames }
            guard !backend.isInstalled, let other = substitute(for: name, &filenames, files, backends) else {
                return EngineSelection(backendName: name, filenames: filenames)
            }
            return EngineSelection(
                backendName: other, filenames: filenames,
                notice: "the engine of the backend '\(name)' is not installed, so '\(other)' runs the model")
        }
        let library = configuration.runtime.isEmpty ? "libtriton_\(name).so" : configuration.runtime
        let holder = files.contains(library) ? "version" : modelFiles.contains(library) ? "model" : nil
        let isReadByOpenVINO = readByOpenVINO.contains(name) && backends["openvino"] != nil
        if backends[ModelBackends.name] != nil, !name.contains("/"), holder != nil || !isReadByOpenVINO {
            return EngineSelection(backendName: ModelBackends.name, filenames: filenames)
        }
        guard readByOpenVINO.contains(name), let openVINO = backends["openvino"] else {
            throw HalcyonError(
                .invalidArgument,
                "unable to find backend library for backend '\(name)', try specifying runtime on the model "
                    + "configuration. This server has: \(names(of: backends))"
                    + searched(name, library, folders) + notAllowed(library, holder))
        }
        return EngineSelection(
            backendName: openVINO.name, filenames: filenames,
            notice: "the backend '\(name)' is not part of this version, so OpenVINO runs the model")
    }

    private static func names(of backends: [String: any Backend]) -> String {
        backends.filter { $0.value.isListed }.map(\.key).sorted().joined(separator: ", ")
    }

    private static func searched(_ name: String, _ library: String, _ folders: [String]) -> String {
        guard !folders.isEmpty else { return "" }
        let paths = folders.map { "\($0)/\(name)" }
        return "; \(library) was looked for in \(paths.joined(separator: ", "))"
    }

    private static func notAllowed(_ library: String, _ holder: String?) -> String {
        holder.map {
            "; \(library) in the \($0)'s folder was not looked at, as it is code: --allow-model-backends has it loaded"
        } ?? ""
    }

    /// Another backend whose engine is installed and reads the same ONNX file. The names narrow down to that file's.
    private static func substitute(
        for name: String, _ filenames: inout [String], _ files: [String], _ backends: [String: any Backend]
    ) -> String? {
        let pairs = ["onnxruntime": "openvino", "openvino": "onnxruntime"]
        let readable = filenames.filter { $0.hasSuffix(".onnx") }
        guard let other = pairs[name].flatMap({ backends[$0] }), other.isInstalled,
            readable.count == filenames.count || readable.contains(where: files.contains)
        else { return nil }
        filenames = readable
        return other.name
    }

    // MARK: Completing the configuration

    private static func completeBackend(
        _ configuration: inout ModelConfiguration, files: [String], version: Int64, backends: [String: any Backend]
    ) throws(HalcyonError) {
        if let platform = platforms.first(where: { $0.name == configuration.platform }) {
            configuration.backend = platform.backend
        } else if backends[configuration.platform] != nil {
            // A backend's own name serves as a platform too.
            configuration.backend = configuration.platform
        } else if configuration.platform.isEmpty,
            let backend = backendName(by: configuration, files: files, backends: backends)
        {
            configuration.backend = backend
        } else {
            throw HalcyonError(
                .invalidArgument,
                "unexpected platform type '\(configuration.platform)' for \(configuration.name); "
                    + undetermined(configuration)
                    + advice(configuration, files, version, backends))
        }
    }

    /// What Triton says of a model whose configuration, files and name tell no backend.
    private static func undetermined(_ configuration: ModelConfiguration) -> String {
        guard configuration.platform.isEmpty, configuration.defaultModelFilename.isEmpty else { return "" }
        return
            "Invalid model name: Could not determine backend for model '\(configuration.name)' with no backend in "
            + "model configuration. Expected model name of the form 'model.<backend_name>'. "
    }

    private static func advice(
        _ configuration: ModelConfiguration, _ files: [String], _ version: Int64, _ backends: [String: any Backend]
    ) -> String {
        guard configuration.platform.isEmpty else {
            return "backend can name one of \(names(of: backends))"
        }
        guard configuration.defaultModelFilename.isEmpty else {
            return "'\(configuration.defaultModelFilename)' does not tell which engine reads it: name the backend"
        }
        let filenames = platforms.map(\.filename) + backends.values.flatMap(\.modelFilenames)
        if let advice = FolderAdvice.withoutModel(files: files, version: version, wanted: []) { return advice }
        return "name the backend, or the model file one of \(Set(filenames).sorted().joined(separator: ", "))"
    }

    /// The backend that reads a file which is there, or one of the kind that `default_model_filename` names. What this
    /// server can run comes first.
    private static func backendName(
        by configuration: ModelConfiguration, files: [String], backends: [String: any Backend]
    ) -> String? {
        let named = configuration.defaultModelFilename
        let ending = suffix(of: named)
        let isMatch = { (filename: String) in
            named.isEmpty ? files.contains(filename) : !ending.isEmpty && suffix(of: filename) == ending
        }
        let found = platforms.filter { isMatch($0.filename) }.map(\.backend)
        let registered = backends.values.sorted { $0.name < $1.name }
        let canRun = { (name: String) in
            backends[name] != nil || readByOpenVINO.contains(name) && backends["openvino"] != nil
        }
        if let backend = found.first(where: canRun) { return backend }
        if let backend = registered.first(where: { $0.modelFilenames.contains(where: isMatch) }) { return backend.name }
        if let backend = found.first { return backend }
        // Triton's last resort: the model's name ends with the backend's.
        let last = suffix(of: configuration.name).dropFirst()
        return named.isEmpty && backends[String(last)]?.isListed == true ? String(last) : nil
    }

    private static func suffix(of name: String) -> Substring {
        name.lastIndex(of: ".").map { name[$0...] } ?? ""
    }

    /// What backends that lie with models are registered by is no name for people to write.
    private static func checkNames(_ configuration: ModelConfiguration) throws(HalcyonError) {
        for (field, name) in [("backend", configuration.backend), ("platform", configuration.platform)]
        where name == ModelBackends.name {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)': '\(name)' is no name of a \(field): name the one that is to run it")
        }
    }

    /// A platform says an engine too, and it must be the same one.
    private static func checkPair(_ configuration: ModelConfiguration) throws(HalcyonError) {
        guard !configuration.platform.isEmpty, platforms.contains(where: { $0.backend == configuration.backend }),
            !platforms.contains(where: { $0.name == configuration.platform && $0.backend == configuration.backend })
        else { return }
        throw HalcyonError(
            .invalidArgument,
            "unexpected 'platform' and 'backend' pair, got:\(configuration.platform), \(configuration.backend); "
                + "leave out the platform of model '\(configuration.name)'")
    }

    private static func completePlatform(_ configuration: inout ModelConfiguration, files: [String]) {
        guard configuration.platform.isEmpty else { return }
        let candidates = platforms.filter { $0.backend == configuration.backend }
        let named = configuration.defaultModelFilename
        let found = candidates.first { named.isEmpty ? files.contains($0.filename) : $0.filename == named }
        if let platform = found ?? (candidates.count == 1 ? candidates.first : nil) {
            configuration.platform = platform.name
        }
    }
}

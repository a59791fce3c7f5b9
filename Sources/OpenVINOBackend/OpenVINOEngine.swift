package import LibraryFiles
internal import Logging
internal import ModelConfigurations
internal import ModelFiles
package import ModelRuntime
internal import Tensors
internal import Threads

/// Runs models with Intel's OpenVINO, on its CPU device.
///
/// It reads OpenVINO IR, ONNX, TensorFlow frozen graphs and saved models, TensorFlow Lite and PaddlePaddle, and models
/// that were compiled for this processor. The engine
/// itself is not linked: its libraries are opened when the first model needs them.
package final class OpenVINOEngine: Backend {
    /// Where the engine lies and how it runs models that do not say it themselves.
    package struct Options: Sendable {
        /// Folders that may hold the engine's libraries, all in one folder, searched in this order; the system's own
        /// library path comes after them.
        package var libraryDirectories: [String]
        /// Settings for all models, by the name that a model's parameter has, in any case: `cache_dir` for instance.
        /// A model's own parameter comes first. Only here may a setting name a folder or a library:
        /// `CACHE_DIR` (compiled models are kept there) and `CPU_EXTENSION_PATH` (custom operations).
        package var configuration: [String: String]
        /// What to tell a user where the libraries are nowhere.
        package var absence = LibraryAbsence()

        package init(libraryDirectories: [String] = [], configuration: [String: String] = [:]) {
            self.libraryDirectories = libraryDirectories
            self.configuration = configuration
        }
    }

    package let name = "openvino"

    package let modelFilenames = [
        "model.blob", "model.xml", "model.onnx", "model.graphdef", "model.pb", "model.savedmodel", "model.saved_model",
        "model.tflite", "model.pdmodel",
    ]

    package var isInstalled: Bool { Library.isInstalled(directories: options.libraryDirectories) }

    private let options: Options
    private let runtime = Locked<Runtime?>(nil)

    package init(options: Options = Options()) { self.options = options }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        guard let path = source.onnxPath else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(source.modelName)': the openvino backend needs a model file, and the version folder has none")
        }
        let parameters = try ModelParameters(
            backend: options.configuration, model: source.configuration.parameters, modelName: source.modelName)
        for name in parameters.ignored {
            source.log.notice(
                "parameter is not OpenVINO's and has no effect on this model", metadata: ["parameter": "\(name)"])
        }
        if source.configuration.optimization.graphLevel != 0 {
            source.log.notice("optimization.graph.level has no effect: OpenVINO chooses its optimisations itself")
        }
        do throws(HalcyonError) {
            // What is compiled is not read as a model.
            let isCompiled = ModelFormat(path: path) == .compiled
            if let file = isCompiled ? CompiledModelFile.source(beside: path) : path { try ModelWeights.check(file) }
        } catch {
            throw error.prefixed("model '\(source.modelName)': ")
        }
        return try OpenVINOModel(
            runtime: loadedRuntime(log: source.log), path: path, source: source, parameters: parameters)
    }

    /// The engine, opened at the first call. A failure is not remembered: the next model tries again.
    private func loadedRuntime(log: Logger) throws -> Runtime {
        try runtime.withLock { runtime in
            if let runtime { return runtime }
            let library = try Library.open(directories: options.libraryDirectories, absence: options.absence)
            let loaded = try Runtime(library: library, extensionPath: options.extensionPath)
            log.info(
                "OpenVINO is loaded", metadata: ["version": "\(library.version)", "library": "\(library.path)"])
            runtime = loaded
            return loaded
        }
    }
}

extension OpenVINOEngine.Options {
    fileprivate var extensionPath: String? {
        configuration.first(where: { $0.key.uppercased() == "CPU_EXTENSION_PATH" })?.value
    }
}

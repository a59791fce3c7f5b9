package import CUDADriver
package import LibraryFiles
internal import Logging
internal import ModelConfigurations
internal import ModelFiles
package import ModelRuntime
internal import Tensors
internal import Threads

/// Runs ONNX models with Microsoft's ONNX Runtime, on the processor and, with a library that has what that takes, on
/// GPUs. Texts, which the others can't take, are its as well.
///
/// The engine itself is not linked: its library is opened when the first model needs it.
package final class ONNXRuntimeEngine: Backend {
    /// Where the engine lies and how it runs models that do not say it themselves.
    package struct Options: Sendable {
        /// Folders that may hold the engine's library, searched in this order; the system's own library path comes
        /// after them.
        package var libraryDirectories: [String]
        /// Settings for all models, by the name that a model's parameter has. A model's own parameter comes first.
        package var configuration: [String: String]
        /// The machine's GPUs.
        package var gpus: GPUs
        /// What to tell a user where the library is nowhere.
        package var absence = LibraryAbsence()
        /// The processors that the threads are for which all models share, where they do.
        package var cores: Int

        package init(
            libraryDirectories: [String] = [], configuration: [String: String] = [:], gpus: GPUs = GPUs(),
            cores: Int = 1
        ) {
            self.libraryDirectories = libraryDirectories
            self.configuration = configuration
            self.gpus = gpus
            self.cores = cores
        }
    }

    package let name = "onnxruntime"

    package let modelFilenames = ["model.onnx"]

    package var isInstalled: Bool { Library.isInstalled(directories: options.libraryDirectories) }

    package let takesExecutionAccelerators = true

    /// By what the installed library was built with, and whether NVIDIA's libraries that it needs are there.
    package var gpuSupport: GPUSupport {
        guard let runtime = try? loadedRuntime(log: nil), runtime.cudaAbsence == nil else { return .notInstalled }
        return .available
    }

    private let options: Options
    private let runtime = Locked<Runtime?>(nil)

    package init(options: Options = Options()) { self.options = options }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        guard let path = source.onnxPath else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(source.modelName)': the onnxruntime backend needs a model file, and the version folder has "
                    + "none")
        }
        let parameters = try ModelParameters(
            backend: options.configuration, model: source.configuration.parameters, modelName: source.modelName)
        for name in parameters.ignored {
            source.log.notice(
                "parameter is not ONNX Runtime's and has no effect on this model", metadata: ["parameter": "\(name)"])
        }
        do throws(HalcyonError) {
            try ModelWeights.check(path)
        } catch {
            throw error.prefixed("model '\(source.modelName)': ")
        }
        return try ONNXRuntimeModel(
            runtime: loadedRuntime(log: source.log), path: path, source: source, parameters: parameters,
            gpus: options.gpus)
    }

    private func sharedThreads() throws(HalcyonError) -> Runtime.SharedThreads? {
        let operators = try ModelParameters(backend: options.configuration, model: [:], modelName: "")
        guard operators.sharesThreads else { return nil }
        let cores = max(1, options.cores)
        return Runtime.SharedThreads(
            intraOp: operators.intraOpThreads ?? cores, interOp: operators.interOpThreads ?? cores)
    }

    /// The engine, opened at the first call. A failure is not remembered: the next model tries again.
    private func loadedRuntime(log: Logger?) throws -> Runtime {
        try runtime.withLock { runtime in
            if let runtime { return runtime }
            let library = try Library.open(directories: options.libraryDirectories, absence: options.absence)
            let loaded = try Runtime(library: library, threads: sharedThreads())
            log?.info(
                "ONNX Runtime is loaded",
                metadata: [
                    "version": "\(library.version)", "library": "\(library.path)",
                    "providers": "\(loaded.providers.joined(separator: ","))",
                ])
            runtime = loaded
            return loaded
        }
    }
}

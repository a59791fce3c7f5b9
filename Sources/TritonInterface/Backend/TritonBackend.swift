private import Glibc
package import ModelRuntime
internal import Tensors
private import Threads

/// One of Triton's own backends: a shared library `libtriton_<name>.so`, loaded when the first model needs it.
package final class TritonBackend: Backend {
    package struct Options: Sendable {
        package var name: String
        /// The folders that may hold the backend's files, the first that does counts.
        package var folders: [String]
        /// Where it was looked for, for who lacks it; empty for ``folders``.
        package var places: [String] = []
        /// What to tell who lacks it, behind the list of folders.
        package var advice = ""
        /// What the command line says to it.
        package var settings: [String: String] = [:]
        package var completesConfigurations = true
        package var defaultMaxBatchSize = 4
        package var minimumComputeCapability = 6.0
        /// The folder of the Python backend, which also runs backends that are written in Python.
        package var pythonFolders: [String] = []
        /// The server's models, for calls back into it; `nil` where there is no server.
        package var models: (any ServedModels)?

        package init(name: String, folders: [String]) {
            self.name = name
            self.folders = folders
        }
    }

    private let options: Options
    private let opened = Locked<BackendObject?>(nil)
    /// Held while the backend is opened, which models that are loaded at the same time wait for.
    private let opening = Locked<Void>(())

    package init(_ options: Options) { self.options = options }

    package var name: String { options.name }
    package var modelFilenames: [String] { options.name == "python" ? ["model.py"] : [] }
    package var isInstalled: Bool { place != nil }
    package var gpuSupport: GPUSupport { .available }

    private var libraryName: String { "libtriton_\(options.name).so" }

    /// A backend's folder, and the library that runs it.
    private var place: (folder: String, library: String)? {
        for folder in options.folders where access("\(folder)/\(libraryName)", R_OK) == 0 {
            return (folder, "\(folder)/\(libraryName)")
        }
        // A backend in Python is a model of the Python backend's, with its files beside it.
        for folder in options.folders where access("\(folder)/model.py", R_OK) == 0 {
            for python in options.pythonFolders where access("\(python)/libtriton_python.so", R_OK) == 0 {
                return (folder, "\(python)/libtriton_python.so")
            }
        }
        return nil
    }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        InterfaceLog.set(source.log)
        return try TritonModel(source, of: try backend(), options)
    }

    private func backend() throws(HalcyonError) -> BackendObject {
        try opening.withLock { _ throws(HalcyonError) in
            if let opened = opened.withLock({ $0 }) { return opened }
            guard let place else { throw absence }
            let made = try BackendObject(
                name: options.name, folder: place.folder, try BackendLibrary(place.library),
                settings: settings(place))
            opened.withLock { $0 = made }
            return made
        }
    }

    private var absence: HalcyonError {
        let advice = options.advice.isEmpty ? "" : "; \(options.advice)"
        let places = options.places.isEmpty ? options.folders : options.places
        let folders = places.isEmpty ? "no folder" : places.joined(separator: ", ")
        return HalcyonError(
            .unavailable,
            "the backend '\(options.name)' is not installed: \(libraryName) was looked for in \(folders)\(advice)")
    }

    /// As Triton says them to every backend, and what the command line adds.
    private func settings(_ place: (folder: String, library: String)) -> [(name: String, value: String)] {
        let libraryFolder = place.library.lastIndex(of: "/").map { String(place.library[..<$0]) } ?? "."
        let directory = libraryFolder.lastIndex(of: "/").map { String(libraryFolder[..<$0]) } ?? "."
        var settings = [
            "auto-complete-config": options.completesConfigurations ? "true" : "false",
            "backend-directory": directory,
            "min-compute-capability": "\(options.minimumComputeCapability)",
            "default-max-batch-size": "\(options.defaultMaxBatchSize)",
        ]
        if place.library.hasSuffix("/libtriton_python.so") {
            settings["shm-region-prefix-name"] = SharedMemoryLeftovers.ownPrefix
        }
        settings.merge(options.settings) { $1 }
        return settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

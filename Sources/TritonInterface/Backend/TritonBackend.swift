internal import Logging
package import ModelRuntime
internal import Tensors
private import Threads

/// One of Triton's own backends: a shared library, loaded when the first model needs it. Or all of those that lie with
/// their models (``ModelBackends``): the name is the configuration's then.
package final class TritonBackend: ClosableBackend {
    package struct Options: Sendable {
        package var name: String
        /// The folders that may hold the backend's files, the first that does counts.
        package var folders: [String]
        /// Where it was looked for, for who lacks it; empty for ``folders``. For what lies with models, where the
        /// folders of backends are.
        package var places: [String] = []
        /// The folder with the folders of all backends, as a backend is told that lies with a model.
        package var backendDirectory = ""
        /// What to tell who lacks it, behind the list of folders.
        package var advice = ""
        /// What the command line says to backends, by their names.
        package var settings: [String: [String: String]] = [:]
        /// Whether a library may lie in the folder of a model or of its version.
        package var allowsModelFolders = false
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

    private let search: BackendSearch
    private let options: Options
    private let opened = Locked<[BackendPlace: BackendObject]>([:])
    /// Held while the backend is opened, which models that are loaded at the same time wait for.
    private let opening = Locked<Void>(())

    package init(_ options: Options) {
        self.options = options
        search = BackendSearch(options)
    }

    package var name: String { options.name }
    package var modelFilenames: [String] { options.name == "python" ? ["model.py"] : [] }
    package var isInstalled: Bool { search.findsAny }
    package var isListed: Bool { name == "python" || name != ModelBackends.name && search.findsUsual }
    package var gpuSupport: GPUSupport { .available }
    package var takesRuntime: Bool { true }
    package var runsModelsInOwnProcesses: Bool { search.runsPython }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        InterfaceLog.set(source.log)
        return try TritonModel(source, of: try backend(of: source), options)
    }

    private func backend(of source: ModelSource) throws(HalcyonError) -> BackendObject {
        let place = try search.place(for: source)
        return try opening.withLock { _ throws(HalcyonError) in
            if let known = opened.withLock({ $0[place] }) { return known }
            let made = try BackendObject(
                name: place.name, folder: place.folder, try BackendLibrary(place.library), settings: settings(place))
            opened.withLock { $0[place] = made }
            return made
        }
    }

    package func close() {
        // Taken apart outside the lock.
        var opened = opened.withLock { opened in
            defer { opened = [:] }
            return Array(opened.values)
        }
        let ends = opened.map { (name: $0.nameText, end: $0.end) }
        opened = []
        for (name, end) in ends where !end.wait() {
            InterfaceLog.logger?.error(
                "a backend does not come back from being taken apart, and is left", metadata: ["backend": "\(name)"])
        }
    }

    /// As Triton says them to every backend, and what the command line adds.
    private func settings(_ place: BackendPlace) -> [(name: String, value: String)] {
        var settings = [
            "auto-complete-config": options.completesConfigurations ? "true" : "false",
            "backend-directory": place.backendDirectory,
            "min-compute-capability": "\(options.minimumComputeCapability)",
            "default-max-batch-size": "\(options.defaultMaxBatchSize)",
        ]
        if BackendSearch.isPython(library: place.library) {
            settings["shm-region-prefix-name"] = SharedMemoryLeftovers.ownPrefix
        }
        settings.merge(options.settings[place.name] ?? [:]) { $1 }
        return settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

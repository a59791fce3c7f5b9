internal import EngineSearch
internal import LibraryFiles
internal import Logging
internal import ModelRuntime
internal import TritonInterface

// Triton's own backends, found in the folders of engines.
extension InferenceServer {
    /// The engines that are part of the library: a backend of Triton's by the same name stays where it lies.
    static let engineNames = ["openvino", "onnxruntime"]

    /// Where Triton's backends lie: the Python backend, wherever it may be, and all others that are there.
    static func tritonPlaces(_ options: ServerOptions) -> [String: EnginePlaces] {
        let own = Set(engineNames + ["identity", "repeat"] + options.backends.map(\.name))
        var places: [String: EnginePlaces] = [:]
        if let known = options.engineDirectories {
            for (name, folders) in known where !own.contains(name) { places[name] = (folders, .init()) }
        } else if let search = options.engineSearch {
            for name in Set(search.backendNames() + ["python"]) where !own.contains(name) {
                let finding = search.look(for: name)
                for refusal in finding.refusals {
                    options.log.warning("backend", metadata: ["backend": "\(name)", "notice": "\(refusal)"])
                }
                // What is refused is among the places that are told, and not among those that are used.
                places[name] = (finding.directories, finding.absence)
            }
        } else if let folder = options.backendDirectory {
            for name in Set(EngineLocator.backendNames(in: folder) + ["python"]) where !own.contains(name) {
                places[name] = (["\(folder)/\(name)"], .init())
            }
        }
        return places
    }

    /// Where the folders of backends are looked for.
    static func backendFolders(_ options: ServerOptions) -> [String] {
        options.engineSearch?.folders ?? options.backendDirectory.map { [$0] } ?? []
    }

    /// The folder that backends are told which lie with models: the first that has anything.
    static func mainBackendFolder(_ options: ServerOptions) -> String {
        let folders = backendFolders(options)
        return folders.first { !LibraryFolder.fileNames(in: $0).isEmpty } ?? folders.first ?? ""
    }

    static func tritonBackends(
        _ options: ServerOptions, _ places: [String: EnginePlaces], models: ServerModels?
    ) -> [any Backend] {
        let own = Set(engineNames)
        let python = places["python"]?.directories ?? []
        let backendDirectory = mainBackendFolder(options)
        var known = places
        if options.allowsModelBackends {
            known[ModelBackends.name] = ([], LibraryAbsence(places: backendFolders(options)))
        }
        return known.filter { !own.contains($0.key) }.sorted { $0.key < $1.key }.map { name, place in
            var settings = TritonBackend.Options(name: name, folders: place.directories)
            settings.places = place.absence.places
            settings.advice =
                name == "python"
                ? "`Scripts/deps --python-models`, run in Halcyon's folder, fetches it into .deps/backends there" : ""
            if !place.absence.advice.isEmpty {
                settings.advice += (settings.advice.isEmpty ? "" : ", and ") + place.absence.advice
            }
            settings.backendDirectory = backendDirectory
            settings.settings = options.backendConfiguration
            settings.allowsModelFolders = options.allowsModelBackends
            settings.completesConfigurations = options.completesConfigurations
            settings.defaultMaxBatchSize = options.defaultMaxBatchSize
            settings.minimumComputeCapability = options.minimumComputeCapability
            settings.pythonFolders = python
            settings.models = models
            return TritonBackend(settings)
        }
    }
}

internal import EngineSearch
private import Foundation
internal import Halcyon
internal import Logging

/// One repository: server up, model loaded, requests through, report, server down.
struct DetectionCase {
    private let flags: Flags
    private let repository: String
    private let output: Output

    init(_ flags: Flags, repository: String, output: Output) {
        self.flags = flags
        self.repository = repository
        self.output = output
    }

    /// The overlays' folder is made first: where that fails, no time was spent on requests.
    func run() async throws -> CaseResult {
        let folder = flags.savesOverlays ? try OverlayFolder(flags, repository: folderName) : nil
        let server = try InferenceServer(options())
        do {
            let result = try await run(server, overlays: folder)
            await server.shutdown()
            return result
        } catch {
            await server.shutdown()
            throw error
        }
    }

    /// The name of the repository's own folder, also where the path is `.` or ends in a slash.
    private var folderName: String { URL(fileURLWithPath: repository).standardizedFileURL.lastPathComponent }

    private func options() -> ServerOptions {
        var options = ServerOptions(repositoryPaths: [repository])
        options.modelControlMode = .explicit
        options.followsLinks = flags.followLinks
        options.isolation =
            switch flags.isolation {
            case .none: .none
            case .perModel: .perModel
            case .process: .process
            }
        let search = EngineLocator.ofThisProcess(named: flags.installation.map { "\($0)/backends" })
        options.engineSearch = search
        // Compiled models are kept, so that only the first start has to wait for them.
        if let folder = cacheFolder(search), FileManager.default.isWritableFile(atPath: folder) {
            options.backendConfiguration["openvino"] = ["CACHE_DIR": "\(folder)/cache/openvino"]
        }
        var log = Logger(label: "people_detection") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = flags.isVerbose ? .debug : .warning
        options.log = log
        return options
    }

    /// The folder that was named, or the working folder's where the engine comes from there.
    private func cacheFolder(_ search: EngineLocator) -> String? {
        if let folder = flags.installation { return folder }
        let taken = search.look(for: "openvino").taken
        return taken?.place.origin == .workingDirectory ? ".deps" : nil
    }

    /// Where the tensors of requests are to live; `nil` for ordinary memory.
    private func placement(_ server: InferenceServer) throws(HalcyonError) -> MemoryPlacement? {
        guard flags.memory != .system else { return nil }
        do throws(HalcyonError) {
            guard let first = try server.gpuNames().keys.min() else { return nil }
            return flags.memory == .gpu ? .gpu(first) : .pinned
        } catch {
            throw HalcyonError(
                error.code, "-m \(flags.memory.rawValue) needs a GPU: \(error.message); use -m system")
        }
    }

    private func run(_ server: InferenceServer, overlays: OverlayFolder?) async throws -> CaseResult {
        try await server.waitUntilReady()
        let placement = try placement(server)
        guard server.isLive, server.isReady else { throw HalcyonError(.unavailable, "the server is not ready") }
        let metadata = server.metadata
        let name = try await loadModel(server)
        let model = try PreparedModel(name, of: server)

        let requests = RequestRun(server: server, model: model, placement: placement, flags: flags)
        let (threads, milliseconds) = try requests.run()
        let statistics = try server.statistics(model: name)
        let figures = try figures(of: name, server, statistics, milliseconds)
        let pictures = try overlays?.save(threads) ?? []
        let result = CaseResult(
            repository: folderName, model: name, milliseconds: milliseconds, threads: threads, statistics: statistics,
            figures: figures,
            summary: [
                "Server: \(metadata.name) \(metadata.version) (\(metadata.extensions.joined(separator: ", ")))",
                "Model '\(name)': \(model.summary)",
            ], overlays: pictures)
        try await server.unloadModel(name)
        return result
    }

    private func figures(
        of model: String, _ server: InferenceServer, _ statistics: ServerStatistics, _ milliseconds: Double
    ) throws(HalcyonError) -> CaseFigures {
        let configuration = try server.modelConfiguration(model)
        let version = try server.modelVersion(model)
        return CaseFigures(
            repository: folderName,
            work: .init(model: model, images: flags.images, threads: flags.threads, repetitions: flags.repetitions),
            total: milliseconds,
            statistics: statistics.models.first ?? ModelStatistics(name: model, version: version),
            configuration: configuration,
            isInt8: ModelFile.holdsInt8("\(repository)/\(model)/\(version)/\(configuration.defaultModelFilename)"))
    }

    /// Loads the model that was asked for; by default PeopleNet, and where that doesn't load, the first one that does.
    private func loadModel(_ server: InferenceServer) async throws -> String {
        if let name = flags.model {
            try await server.loadModel(name)
            return name
        }
        let names = server.modelIndex().map(\.name)
        let preferred = names.filter { $0 == "peoplenet" } + names.filter { $0 != "peoplenet" }
        var reasons: [String] = []
        for name in preferred {
            do {
                try await server.loadModel(name)
                for reason in reasons { output.say(reason) }
                return name
            } catch {
                reasons.append("Model '\(name)' is not used: \(error.message)")
            }
        }
        let found = reasons.isEmpty ? "it holds none" : reasons.joined(separator: "; ")
        throw HalcyonError(.unavailable, "no model of '\(repository)' can be loaded: \(found)")
    }
}

package import ModelRepository
package import ModelRuntime
package import Tensors
private import Threads
package import TritonInterface

/// A server's models, as its backends ask for them. Backends belong to the server, so this keeps nothing of it alive.
package final class ServerModels: ServedModels {
    private final class Place: @unchecked Sendable {
        weak var server: InferenceServer?
    }

    private let place = Locked(Place())

    func serve(_ server: InferenceServer) { place.withLock { $0.server = server } }

    private func server() throws(HalcyonError) -> InferenceServer {
        guard let server = place.withLock({ $0.server }) else {
            throw HalcyonError(.unavailable, "the server stops")
        }
        return server
    }

    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do throws(HalcyonError) {
            return try server().submit(request, from: caller, handler: handler)
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    package func isModelReady(_ name: String, version: Int64?) -> Bool {
        (try? server())?.isModelReady(name, version: version) ?? false
    }

    package func facts(_ name: String, version: Int64?) throws(HalcyonError) -> ModelFacts {
        try server().facts(name, version: version)
    }

    package func labels(of output: String, model: String, version: Int64?) -> [String] {
        (try? server())?.labels(of: output, model: model, version: version) ?? []
    }

    package func load(_ name: String, override: ModelOverride?) throws(HalcyonError) {
        try server().load(name, override: override)
    }

    package func unload(_ name: String, dependents: Bool) throws(HalcyonError) {
        try server().unload(name, dependents: dependents)
    }
}

package import Tensors

// The same for callers that have threads and no tasks.
extension InferenceServer {
    /// As ``waitUntilReady()``, on the calling thread.
    ///
    /// - Returns: which models failed and why; `nil` where none did.
    package func waitForModels() -> HalcyonError? {
        lifetime.waitForStart()
        return startFailure
    }

    /// As ``shutdown()``, on the calling thread. Not on a thread of the server's: it would wait for itself.
    @discardableResult
    package func shutdownBlocking() -> ShutdownReport {
        guard lifetime.beginStop() else {
            lifetime.waitForStop()
            return ShutdownReport(droppedRequests: [:])
        }
        return lifetime.stop()
    }

    /// Has requests that are under way when the server stops take at most so long, whatever the options said.
    package func setExitTimeout(_ timeout: Duration) { lifetime.set(exitTimeout: timeout) }

    /// Finds models in another repository, too.
    ///
    /// - Parameter names: what models are called whose folders have another name, by folder.
    /// - Throws: `alreadyExists` for one that the server has; `notFound` or `invalidArgument` for what is none.
    package func registerRepository(_ path: String, names: [String: String] = [:]) throws(HalcyonError) {
        try manager.addRepository(path, names: names)
    }

    /// Finds no more models in a repository. Those that are loaded stay.
    ///
    /// - Throws: `notFound` for one that the server does not have.
    package func unregisterRepository(_ path: String) throws(HalcyonError) { try manager.removeRepository(path) }
}

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
    /// - Parameter folders: of the models that have another name than theirs, by the models' names.
    /// - Throws: `alreadyExists` for one that the server has; `invalidArgument` for what is none.
    package func registerRepository(_ path: String, folders: [String: String] = [:]) throws(HalcyonError) {
        try manager.addRepository(path, folders: folders)
    }

    /// Finds no more models in a repository. Those that are loaded stay.
    ///
    /// - Throws: `invalidArgument` for one that the server does not have.
    package func unregisterRepository(_ path: String) throws(HalcyonError) { try manager.removeRepository(path) }
}

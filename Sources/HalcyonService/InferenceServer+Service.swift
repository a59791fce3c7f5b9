public import Halcyon
public import ServiceLifecycle

/// A server as one service of a `ServiceGroup`, beside an application's others.
///
/// It is a target of its own, so that an application without swift-service-lifecycle compiles none of it.
extension InferenceServer: Service {
    /// Serves until the group shuts down, gracefully or by cancelling the task, and then shuts down as
    /// ``Halcyon/InferenceServer/shutdown()`` does: what waits is finished within
    /// ``Halcyon/ServerOptions/exitTimeout``. It throws nothing.
    public func run() async throws {
        await run(until: { try? await gracefulShutdown() })
    }
}

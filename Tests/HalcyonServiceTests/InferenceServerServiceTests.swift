import Halcyon
import HalcyonService
import Logging
import ServiceLifecycle
import Testing

@Suite struct InferenceServerServiceTests {
    private static let folder = "Examples/swift_backend/model_repository"

    private static func server() throws -> InferenceServer {
        var options = ServerOptions(repositoryPaths: [folder])
        options.modelControlMode = .explicit
        return try InferenceServer(options)
    }

    @Test func `A group that shuts down gracefully stops the server`() async throws {
        let server = try Self.server()
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: server)], logger: Logger(label: "test")))
        async let ended: Void = group.run()
        try await server.waitUntilReady()
        #expect(server.isLive)
        await group.triggerGracefulShutdown()
        try await ended
        #expect(!server.isLive)
    }

    @Test func `A task that is cancelled stops the server`() async throws {
        let server = try Self.server()
        let task = Task { try await server.run() }
        task.cancel()
        try await task.value
        #expect(!server.isLive)
    }
}

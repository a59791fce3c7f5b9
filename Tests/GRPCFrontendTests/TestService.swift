import Foundation
import Halcyon
import HalcyonTestKit
import KServeProtocol
import Logging

@testable import GRPCFrontend

/// A service without models.
enum TestService {
    private static let shared = Result { try makeEmpty() }

    static func make() throws -> GRPCService { try shared.get() }

    private static func makeEmpty() throws -> GRPCService {
        var options = ServerOptions(repositoryPaths: [try TemporaryFolder.make().path])
        options.modelControlMode = .explicit
        options.log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try service(try InferenceServer(options), options.log)
    }

    static func service(_ server: InferenceServer, _ log: Logger) throws -> GRPCService {
        GRPCService(
            service: InferenceService(
                server: server, logSettings: LogSettings(.init(), isChangeAllowed: true),
                tracer: try RequestTracer(TraceSettings(), isChangeAllowed: true, log: log), options: .init()),
            access: AccessPolicy())
    }
}

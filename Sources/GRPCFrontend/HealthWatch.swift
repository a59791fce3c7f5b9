internal import KServeMessages
internal import KServeProtocol
internal import ModelRuntime
internal import NIOCore
internal import SwiftProtobuf
internal import Threads

/// A call of `grpc.health.v1.Health/Watch`.
struct HealthWatch: Sendable {
    typealias Status = Grpc_Health_V1_HealthCheckResponse.ServingStatus

    let call: GRPCCall
    let status: @Sendable () -> Status

    /// Looks once a second until the client goes away.
    func start() {
        let last = Locked<Status?>(nil)
        let task = call.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { _ in
            let now = status()
            let hasChanged = last.withLock { last in
                defer { last = now }
                return last != now
            }
            guard hasChanged else { return }
            let bytes: [UInt8] = try Grpc_Health_V1_HealthCheckResponse.with { $0.status = now }.serializedBytes()
            call.send { InferenceProtobufWriter.plain(bytes) }
        }
        call.began(0)
        call.onCancel(0) { task.cancel() }
    }
}

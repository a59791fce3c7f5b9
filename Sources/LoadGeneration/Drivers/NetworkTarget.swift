internal import JSONText
internal import KServeMessages
internal import NIOCore
internal import SwiftProtobuf
package import Tensors
internal import Threads
internal import URIText

/// A server over HTTP or gRPC.
package final class NetworkTarget: LoadTarget {
    private let address: ServerAddress
    private let connector: Connector
    private let control: ControlConnection
    private let writer: HTTPRequestWriter
    private let model: String
    private let version: String
    private let headers: [(name: String, value: String)]
    private let prepared = Locked<RequestForm?>(nil)
    /// Sequences of one run never have the numbers of another's.
    private let firstSequence = Locked<UInt64>(0)

    /// - Parameters:
    ///   - version: empty for the newest.
    ///   - headers: that go with every request.
    /// - Throws: `invalidArgument` for certificates that can't be used.
    package init(
        _ address: ServerAddress, model: String, version: String, headers: [(name: String, value: String)],
        tls: ClientTLSOptions
    ) throws(HalcyonError) {
        self.address = address
        self.model = model
        self.version = version
        self.headers = headers
        connector = Connector(address: address, tls: address.usesTLS ? try ClientTLS(tls, address) : nil)
        control = ControlConnection(connector, metadata: headers)
        writer = HTTPRequestWriter(address: address, headers: headers)
        firstSequence.withLock { $0 = SystemClock().now() / 1000 % (1 << 40) + 1 }
    }

    package var name: String { address.text }
    package var isGRPC: Bool { address.wire == .grpc }

    private var path: String {
        "/v2/models/\(PercentEncoding.encode(model))" + (version.isEmpty ? "" : "/versions/\(version)")
    }

    // MARK: What the server tells

    package func describe() throws(HalcyonError) -> ModelDescription {
        switch address.wire {
        case .http:
            let metadata = try document(path, "the model's metadata")
            guard let metadata else {
                throw HalcyonError(.notFound, "the server at \(name) has no model '\(model)'")
            }
            return try ModelDescription(
                metadata: metadata,
                configuration: try document(path + "/config", "the configuration", isOptional: true),
                version: version)
        case .grpc:
            var request = Inference_ModelMetadataRequest()
            request.name = model
            request.version = version
            let metadata = try call("ModelMetadata", request, Inference_ModelMetadataResponse.self)
            var configuration = Inference_ModelConfigRequest()
            configuration.name = model
            configuration.version = version
            let answer = try? call("ModelConfig", configuration, Inference_ModelConfigResponse.self)
            return try ModelDescription(
                metadata: metadata, configuration: answer.map { ConfigurationExcerpt($0.config) }, version: version)
        }
    }

    package func statistics() throws(HalcyonError) -> ServerCounts? {
        switch address.wire {
        case .http: return try document(path + "/stats", "statistics", isOptional: true).map { ServerCounts($0) }
        case .grpc:
            var request = Inference_ModelStatisticsRequest()
            request.name = model
            request.version = version
            let answer = try control.grpc("ModelStatistics", GRPCRequestWriter.framed(request))
            guard answer.status == 0,
                let statistics = try? Inference_ModelStatisticsResponse(serializedBytes: answer.body)
            else { return nil }
            return ServerCounts(statistics)
        }
    }

    /// Whether the server takes tensors as bytes behind the JSON.
    package func takesBinaryTensors() throws(HalcyonError) -> Bool {
        guard address.wire == .http, let server = try document("/v2", "the server's metadata", isOptional: true) else {
            return true
        }
        let extensions = (server["extensions"]?.elements ?? []).compactMap { $0.text }
        return extensions.contains { $0.hasPrefix("binary_tensor_data") }
    }

    /// - Returns: `nil` for something that the server does not have, where that may be.
    private func document(
        _ path: String, _ what: String, isOptional: Bool = false
    ) throws(HalcyonError) -> JSONValue? {
        let answer = try control.http(writer.request("GET", path))
        guard answer.status == 200 else {
            if isOptional { return nil }
            throw HalcyonError(
                .notFound,
                "the server at \(name) does not give \(what) of '\(model)': \(ServerFault.text(answer) ?? "")")
        }
        return try JSONValue.read(answer.body, "\(what) of the server at \(name)")
    }

    private func call<Answer: Message>(
        _ method: String, _ request: some Message, _ type: Answer.Type
    ) throws(HalcyonError) -> Answer {
        let answer = try control.grpc(method, GRPCRequestWriter.framed(request))
        if let fault = ServerFault.text(answer) {
            throw HalcyonError(.notFound, "the server at \(name), asked \(method) of '\(model)', says \(fault)")
        }
        do {
            return try Answer(serializedBytes: answer.body)
        } catch {
            throw HalcyonError(.unavailable, "the server at \(name) answers \(method) with bytes that are no \(type)")
        }
    }

    // MARK: Load

    package func prepare(_ form: RequestForm) throws(HalcyonError) {
        if let memory = form.memory { try register(memory) }
        prepared.withLock { $0 = form }
        try probe(form)
    }

    /// One request, which says what all the others would.
    private func probe(_ form: RequestForm) throws(HalcyonError) {
        guard let step = form.data.steps.first else { return }
        var cursor = RequestCursor(form, lane: 0, of: 1, firstID: nextSequences(1))
        let next = cursor.next(isLast: true)
        let fault: String?
        switch address.wire {
        case .http:
            fault = ServerFault.text(
                try control.http(writer.inference(form, step: step, lane: 0, index: 0, sequence: next.sequence)))
        case .grpc:
            fault = ServerFault.text(
                try control.grpc(
                    form.isStreaming ? "ModelStreamInfer" : "ModelInfer",
                    GRPCRequestWriter.inference(form, step: step, lane: 0, index: 0, sequence: next.sequence),
                    isStreaming: form.isStreaming))
        }
        if let fault {
            throw HalcyonError(.invalidArgument, "the server refuses a request to '\(form.model.name)': \(fault)")
        }
    }

    package func start(_ load: Load, _ options: LoadOptions) throws(HalcyonError) -> any LoadDriver {
        guard let form = prepared.withLock({ $0 }) else {
            throw HalcyonError(.internal, "there are no requests to put a load on a server with")
        }
        return try NetworkDriver(
            load, options, form: form, connector: connector, firstSequence: nextSequences(1 << 20))
    }

    private func nextSequences(_ count: UInt64) -> UInt64 {
        firstSequence.withLock { first in
            defer { first &+= count }
            return first
        }
    }

    package func close() {
        guard let memory = prepared.withLock({ $0?.memory }) else { return }
        memory.remove()
        unregister(memory)
    }

    // MARK: Shared memory

    private func register(_ memory: SharedTensors) throws(HalcyonError) {
        var fault: String?
        switch address.wire {
        case .http:
            let body: JSONValue = [
                "key": .string(memory.key), "offset": 0, "byte_size": .integer(Int64(memory.byteCount)),
            ]
            fault = ServerFault.text(
                try control.http(
                    writer.request(
                        "POST", "/v2/systemsharedmemory/region/\(memory.region)/register",
                        body: Array(body.compact.utf8))))
        case .grpc:
            var request = Inference_SystemSharedMemoryRegisterRequest()
            request.name = memory.region
            request.key = memory.key
            request.byteSize = UInt64(memory.byteCount)
            fault = ServerFault.text(try control.grpc("SystemSharedMemoryRegister", GRPCRequestWriter.framed(request)))
        }
        guard let fault else { return }
        memory.remove()
        throw HalcyonError(
            .unavailable,
            "the server does not take shared memory, which only goes where client and server see the same /dev/shm: "
                + "\(fault)"
        )
    }

    private func unregister(_ memory: SharedTensors) {
        switch address.wire {
        case .http:
            _ = try? control.http(
                writer.request("POST", "/v2/systemsharedmemory/region/\(memory.region)/unregister"))
        case .grpc:
            var request = Inference_SystemSharedMemoryUnregisterRequest()
            request.name = memory.region
            _ = try? control.grpc("SystemSharedMemoryUnregister", GRPCRequestWriter.framed(request))
        }
    }
}

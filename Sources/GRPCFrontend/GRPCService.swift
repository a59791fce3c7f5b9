internal import FoundationEssentials
internal import Halcyon
internal import JSONText
internal import KServeMessages
package import KServeProtocol
internal import ModelRuntime
internal import NIOCore
internal import NIOHPACK
internal import SwiftProtobuf
internal import Tensors
internal import Threads

/// The protocol over gRPC.
package struct GRPCService: Sendable {
    let service: InferenceService
    let access: AccessPolicy
    private let headers: HeaderForwarding?
    let turns = EventLoopTurns()

    /// - Parameter headers: which of a call's headers become parameters of its inferences.
    package init(service: InferenceService, access: AccessPolicy, headers: HeaderForwarding? = nil) {
        self.service = service
        self.access = access
        self.headers = headers
    }

    /// Takes on a message of a call; called on the connection's event loop.
    func receive(_ message: TensorBuffer, of method: GRPCMethod, call: GRPCCall) {
        do {
            switch method {
            case .inference(.modelInfer): infer(message, call)
            case .inference(let method): try receive(message, of: method, call)
            case .healthCheck: try answer(message, call, health)
            case .healthWatch: try watch(message, call)
            case .reflection:
                let response = Reflection.answer(try decode(message))
                let bytes: [UInt8] = try response.serializedBytes()
                call.send { InferenceProtobufWriter.plain(bytes) }
            }
        } catch {
            call.finish(Self.status(error))
        }
    }

    static func status(_ error: any Error) -> GRPCStatus {
        if let status = error as? GRPCStatus { return status }
        if error is BinaryDecodingError {
            return GRPCStatus(.internal, "the message is not well-formed protobuf")
        }
        return GRPCStatus(HalcyonError(wrapping: error))
    }

    // MARK: Inference

    private func infer(_ message: TensorBuffer, _ call: GRPCCall) {
        infer(message, number: 0, call: call) { terms, result in
            switch result {
            case .success(let result): answer(result, terms.trace, call)
            case .failure(let error): call.finish(GRPCStatus(error))
            }
        }
    }

    private func answer(_ result: InferenceResult, _ trace: Trace?, _ call: GRPCCall) {
        do {
            let whenSent = try counted(result, then: trace.map(Self.noteSent))
            let make = { @Sendable in
                Self.noteSending(trace)
                return InferenceProtobufWriter.message(result)
            }
            let count = call.compression == nil ? 0 : Self.byteCount(result)
            guard count > WorkPool.immediate / 4 else { return call.answer(whenSent: whenSent, make) }
            service.pool.run(count) {
                do throws(GRPCStatus) {
                    call.answer(try call.frame(make()), whenSent: whenSent)
                } catch {
                    call.finish(error)
                }
            }
        } catch {
            call.finish(GRPCStatus(error))
        }
    }

    static func byteCount(_ result: InferenceResult) -> Int {
        result.outputs.reduce(0) { $0 + ($1.region == nil ? $1.tensor.data.byteCount : 0) }
    }

    /// Counts the values of a response against the budget until the client has taken them.
    ///
    /// - Parameter whenSent: what else is to be done then.
    /// - Returns: what is to be called then.
    func counted(
        _ result: InferenceResult, then whenSent: (@Sendable () -> Void)?
    ) throws(HalcyonError) -> (@Sendable () -> Void)? {
        let count = Self.byteCount(result)
        guard count > ByteBudget.uncounted else { return whenSent }
        let charge = try service.budget.charge(count)
        return {
            withExtendedLifetime(charge) {}
            whenSent?()
        }
    }

    static func noteSending(_ trace: Trace?) {
        trace?.reached(.grpcSendStart, at: NIODeadline.now().uptimeNanoseconds)
    }

    static func noteSent(_ trace: Trace) -> @Sendable () -> Void {
        { trace.reached(.grpcSendEnd, at: NIODeadline.now().uptimeNanoseconds) }
    }

    private func beginTrace(_ model: String, _ call: GRPCCall) -> Trace? {
        let trace = service.tracer.trace(model) { call.headers.first(name: $0) }
        guard let trace else { return nil }
        trace.reached(.grpcReceiveStart, at: call.start.uptimeNanoseconds)
        trace.reached(.grpcReceiveEnd, at: NIODeadline.now().uptimeNanoseconds)
        return trace
    }

    /// What the answers to a request need to know of it; as far as it could be read.
    struct AnswerTerms {
        var id = ""
        /// Whether its client wants an empty last response that says so.
        var wantsEnd = false
        /// Whether any number of responses may come.
        var isDecoupled = false
        var trace: Trace?
    }

    /// - Parameters:
    ///   - number: the message's in its call.
    ///   - flow: how many responses of a decoupled model may be under way.
    ///   - handler: gets the request's result, on any thread; once, except for a decoupled model.
    func infer(
        _ message: TensorBuffer, number: Int, call: GRPCCall, flow: ResponseFlow? = nil,
        handler: @escaping @Sendable (AnswerTerms, Result<InferenceResult, HalcyonError>) -> Void
    ) {
        let reader = InferenceProtobufReader(
            limits: service.limits, memory: service.memory, budget: service.budget)
        var terms = AnswerTerms()
        do {
            let message = try reader.read(message)
            terms.id = message.id
            terms.wantsEnd = message.parameters.wantsEmptyFinalResponse
            terms.trace = beginTrace(message.model, call)
            let model = try service.server.resolve(
                message.model, version: try InferenceProtobufReader.version(message.version))
            guard !model.isDecoupled || call.method == .inference(.modelStreamInfer) else {
                throw HalcyonError(
                    .unsupported, "ModelInfer RPC doesn't support models with decoupled transaction policy")
            }
            terms.isDecoupled = model.isDecoupled
            var inference = try reader.call(message)
            inference.request.trace = terms.trace
            headers?.add(to: &inference.request, from: call.headers.lazy.map { (name: $0.name, value: $0.value) })
            inference.request.flow = flow
            call.began(number)
            let handle = service.infer(inference, on: model) { [terms] result in
                if (try? result.get())?.isFinal ?? true { call.ended(number) }
                handler(terms, result)
            }
            if let handle { call.onCancel(number) { handle.cancel() } }
        } catch {
            handler(terms, .failure(HalcyonError(wrapping: error)))
        }
    }

    // MARK: Everything else

    private func receive(_ message: TensorBuffer, of method: GRPCMethod.Inference, _ call: GRPCCall) throws {
        switch method {
        case .serverLive:
            try answer(message, call) { (_: Inference_ServerLiveRequest) in
                Inference_ServerLiveResponse.with { $0.live = service.server.isLive }
            }
        case .serverReady:
            try answer(message, call) { (_: Inference_ServerReadyRequest) in
                Inference_ServerReadyResponse.with { $0.ready = service.isReady }
            }
        case .modelReady: try answer(message, call, modelReady)
        case .serverMetadata:
            try answer(message, call) { (_: Inference_ServerMetadataRequest) in
                Inference_ServerMetadataResponse.with { response in
                    response.name = service.metadata.name
                    response.version = service.metadata.version
                    response.extensions = service.metadata.extensions
                }
            }
        case .modelMetadata: try answer(message, call, modelMetadata)
        case .modelConfig: try answer(message, call, modelConfiguration)
        case .modelStatistics: try answer(message, call, statistics)
        case .repositoryIndex: try answer(message, call, repositoryIndex)
        case .repositoryModelLoad: try load(message, call)
        case .repositoryModelUnload: try unload(message, call)
        case .systemSharedMemoryStatus: try answer(message, call, sharedMemoryStatus)
        case .systemSharedMemoryRegister: try answer(message, call, registerSharedMemory)
        case .systemSharedMemoryUnregister:
            try answer(message, call) { (request: Inference_SystemSharedMemoryUnregisterRequest) in
                try service.memory.unregister(request.name)
                return Inference_SystemSharedMemoryUnregisterResponse()
            }
        case .cudaSharedMemoryStatus: try answer(message, call, deviceMemoryStatus)
        case .cudaSharedMemoryRegister: try registerDeviceMemory(message, call)
        case .cudaSharedMemoryUnregister:
            try answer(message, call) { (request: Inference_CudaSharedMemoryUnregisterRequest) in
                try service.memory.unregisterDevice(request.name)
                return Inference_CudaSharedMemoryUnregisterResponse()
            }
        case .logSettings: try answer(message, call, logSettings)
        case .traceSetting: try answer(message, call, traceSettings)
        case .modelInfer, .modelStreamInfer: break
        }
    }

    private func decode<Request: Message>(_ message: TensorBuffer) throws -> Request {
        try Request(serializedBytes: message.withUnsafeBytes { Array($0) })
    }

    private func answer<Request: Message, Response: Message>(
        _ message: TensorBuffer, _ call: GRPCCall, _ body: (Request) throws -> Response
    ) throws {
        let bytes: [UInt8] = try body(try decode(message)).serializedBytes()
        call.answer { InferenceProtobufWriter.plain(bytes) }
    }

    /// A model or a version that does not exist is one that is not ready; only a version that is no number is an error.
    private func modelReady(_ request: Inference_ModelReadyRequest) throws -> Inference_ModelReadyResponse {
        let version = try InferenceProtobufReader.version(request.version)
        return .with { $0.ready = service.server.isModelReady(request.name, version: version) }
    }

    private func modelMetadata(_ request: Inference_ModelMetadataRequest) throws -> Inference_ModelMetadataResponse {
        let metadata = try service.server.modelMetadata(
            request.name, version: try InferenceProtobufReader.version(request.version))
        let tensor = { (tensor: ModelMetadata.TensorMetadata) in
            Inference_ModelMetadataResponse.TensorMetadata.with {
                $0.name = tensor.name
                $0.datatype = tensor.elementType.rawValue
                $0.shape = tensor.shape.dimensions.map(Int64.init)
            }
        }
        return .with {
            $0.name = metadata.name
            $0.versions = metadata.versions.map(String.init)
            $0.platform = metadata.platform
            $0.inputs = metadata.inputs.map(tensor)
            $0.outputs = metadata.outputs.map(tensor)
        }
    }

    private func modelConfiguration(_ request: Inference_ModelConfigRequest) throws -> Inference_ModelConfigResponse {
        let configuration = try service.server.modelConfiguration(
            request.name, version: try InferenceProtobufReader.version(request.version))
        return .with { $0.config = Data(configuration.protobuf) }
    }

    private func statistics(_ request: Inference_ModelStatisticsRequest) throws -> Inference_ModelStatisticsResponse {
        let statistics = try service.server.statistics(
            model: request.name.isEmpty ? nil : request.name,
            version: try InferenceProtobufReader.version(request.version))
        return StatisticsMessage.make(statistics)
    }

    private func repositoryIndex(_ request: Inference_RepositoryIndexRequest) -> Inference_RepositoryIndexResponse {
        .with { response in
            response.models = service.server.modelIndex().filter { !request.ready || $0.state == .ready }.map { entry in
                .with {
                    $0.name = entry.name
                    $0.version = entry.version.map(String.init) ?? ""
                    $0.state = entry.state?.rawValue ?? ""
                    $0.reason = entry.reason
                }
            }
        }
    }

    private func load(_ message: TensorBuffer, _ call: GRPCCall) throws {
        try service.server.checkRepositoryControl()
        // Files are copied out of the message, and the load holds them.
        let charge = try service.budget.charge(2 * message.byteCount)
        let request: Inference_RepositoryModelLoadRequest = try decode(message)
        let load = try LoadRequest(
            request.parameters.mapValues { value in
                switch value.parameterChoice {
                case .stringParam(let text): .text(text)
                case .bytesParam(let data): .bytes(TensorBuffer(copying: [UInt8](data)))
                case .boolParam, .int64Param, nil: .other
                }
            }, model: request.modelName)
        try change(call, Inference_RepositoryModelLoadResponse()) { [service] in
            try await service.load(request.modelName, load)
            withExtendedLifetime(charge) {}
        }
    }

    private func unload(_ message: TensorBuffer, _ call: GRPCCall) throws {
        let request: Inference_RepositoryModelUnloadRequest = try decode(message)
        let dependents = request.parameters["unload_dependents"]?.boolParam ?? false
        try change(call, Inference_RepositoryModelUnloadResponse()) { [service] in
            try await service.unload(request.modelName, dependents: dependents)
        }
    }

    /// Loading takes a while, and happens off the event loop.
    private func change(
        _ call: GRPCCall, _ response: some Message, _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        try service.server.checkRepositoryControl()
        let bytes: [UInt8] = try response.serializedBytes()
        call.began(0)
        let change = Task {
            do {
                try await body()
                call.answer { InferenceProtobufWriter.plain(bytes) }
            } catch {
                call.finish(Self.status(error))
            }
            call.ended(0)
        }
        call.onCancel(0) { change.cancel() }
    }

    // MARK: Shared memory

    private func sharedMemoryStatus(
        _ request: Inference_SystemSharedMemoryStatusRequest
    ) throws -> Inference_SystemSharedMemoryStatusResponse {
        var response = Inference_SystemSharedMemoryStatusResponse()
        for region in try service.memory.status(request.name) {
            response.regions[region.name] = .with {
                $0.name = region.name
                $0.key = region.key
                $0.offset = UInt64(region.offset)
                $0.byteSize = UInt64(region.byteCount)
            }
        }
        return response
    }

    private func registerSharedMemory(
        _ request: Inference_SystemSharedMemoryRegisterRequest
    ) throws -> Inference_SystemSharedMemoryRegisterResponse {
        try service.memory.register(
            SharedMemory.Status(
                name: request.name, key: request.key, offset: Int(clamping: request.offset),
                byteCount: Int(clamping: request.byteSize)))
        return Inference_SystemSharedMemoryRegisterResponse()
    }

    private func deviceMemoryStatus(
        _ request: Inference_CudaSharedMemoryStatusRequest
    ) throws -> Inference_CudaSharedMemoryStatusResponse {
        var response = Inference_CudaSharedMemoryStatusResponse()
        for region in try service.memory.deviceStatus(request.name) {
            response.regions[region.name] = .with {
                $0.name = region.name
                $0.deviceID = UInt64(region.device)
                $0.byteSize = UInt64(region.byteCount)
            }
        }
        return response
    }

    private func registerDeviceMemory(_ message: TensorBuffer, _ call: GRPCCall) throws {
        let request: Inference_CudaSharedMemoryRegisterRequest = try decode(message)
        let region = SharedMemory.DeviceStatus(
            name: request.name, device: Int(clamping: request.deviceID), byteCount: Int(clamping: request.byteSize))
        let bytes: [UInt8] = try Inference_CudaSharedMemoryRegisterResponse().serializedBytes()
        try service.register(region, handle: [UInt8](request.rawHandle)) { result in
            switch result {
            case .success: call.answer { InferenceProtobufWriter.plain(bytes) }
            case .failure(let error): call.finish(Self.status(error))
            }
        }
    }

    // MARK: Settings

    private func logSettings(_ request: Inference_LogSettingsRequest) throws -> Inference_LogSettingsResponse {
        try service.logSettings.change(try LogSettingsMessage.settings(request))
        return LogSettingsMessage.response(service.logSettings.values)
    }

    private func traceSettings(_ request: Inference_TraceSettingRequest) throws -> Inference_TraceSettingResponse {
        let settings = try service.traceSettings(
            request.modelName.isEmpty ? nil : request.modelName, change: request.settings.mapValues(\.value))
        return .with { response in
            for text in settings.texts {
                switch text.value {
                case .one(let value): response.settings[text.name] = .with { $0.value = [value] }
                case .list(let values): response.settings[text.name] = .with { $0.value = values }
                }
            }
        }
    }

    // MARK: Health

    private func health(_ request: Grpc_Health_V1_HealthCheckRequest) throws -> Grpc_Health_V1_HealthCheckResponse {
        guard let isServing = isServing(request.service) else {
            throw GRPCStatus(.notFound, "unknown service '\(request.service)'")
        }
        return .with { $0.status = isServing ? .serving : .notServing }
    }

    /// Whether a service, or the server where there is no name, serves; `nil` for a service that does not exist.
    private func isServing(_ name: String) -> Bool? {
        name.isEmpty || name == GRPCMethod.inferenceService || name == GRPCMethod.healthService ? service.isReady : nil
    }

    /// Says how things are, and again whenever that changes.
    private func watch(_ message: TensorBuffer, _ call: GRPCCall) throws {
        let request: Grpc_Health_V1_HealthCheckRequest = try decode(message)
        HealthWatch(call: call) { [self] in
            isServing(request.service).map { $0 ? .serving : .notServing } ?? .serviceUnknown
        }.start()
    }
}

extension InferenceProtobufWriter {
    /// A message that is serialized already.
    static func plain(_ bytes: [UInt8]) -> Message { Message(bytes) }
}

internal import FlightRecords
internal import Halcyon
internal import JSONText
package import KServeProtocol
internal import ModelConfigurations
internal import ModelRuntime
internal import NIOCore
internal import NIOHTTP1
internal import Tensors
internal import Threads
package import Transport

/// The protocol over HTTP: KServe v2 and Triton's extensions.
package struct HTTPService: HTTPResponder {
    let service: InferenceService
    let access: AccessPolicy
    let headers: HeaderForwarding?
    private let showsPage: Bool

    /// - Parameters:
    ///   - headers: which of a request's headers become parameters of its inference.
    ///   - showsPage: whether there is a page for people, at `/`.
    package init(
        service: InferenceService, access: AccessPolicy, headers: HeaderForwarding? = nil, showsPage: Bool = false
    ) {
        self.service = service
        self.access = access
        self.headers = headers
        self.showsPage = showsPage
    }

    package func respond(to request: HTTPRequest, reply: HTTPReply) {
        guard
            let route = HTTPRoute(path: request.path) ?? (showsPage ? HTTPRoute(pagePath: request.path) : nil)
        else {
            return reply.send(Self.plainError(.notFound, "Not Found"))
        }
        guard route.allows(request.method) || (request.method == .HEAD && route.allows(.GET)) else {
            return reply.send(Self.plainError(.methodNotAllowed, "Method Not Allowed"))
        }
        if let key = access.missingKey(for: route.group, header: { request.headers.first(name: $0) }) {
            return reply.send(
                Self.plainError(.forbidden, "This API is restricted, expecting header '\(key.header)'"))
        }
        if request.headers.first(name: "content-type")?.lowercased().hasPrefix("multipart/") == true {
            return reply.send(
                Self.error(
                    HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(ForeignBody.multipart)"))
            )
        }
        // What takes as long as a client likes holds up nobody else on this event loop.
        let text = textByteCount(request)
        if text > WorkPool.immediate {
            service.pool.run(text) { answer(request, route, reply) }
        } else {
            answer(request, route, reply)
        }
    }

    /// How much of a request is read byte by byte, or an estimate of that.
    private func textByteCount(_ request: HTTPRequest) -> Int {
        let count = request.body.byteCount
        guard request.coding == nil else { return max(WorkPool.immediate + 1, count) }
        guard let header = request.headers.first(name: "inference-header-content-length"), let json = Int(header),
            json >= 0, json <= count
        else { return count }
        // What lies behind the JSON stays where it is.
        return json > 0 ? json : count / 64
    }

    private func answer(_ request: HTTPRequest, _ route: HTTPRoute, _ reply: HTTPReply) {
        do {
            let request = try request.decoded()
            switch route {
            case .infer(let target): infer(request, target, reply)
            case .generate(let target, let isStream): generate(request, target, isStream, reply)
            case .tryOut(let target): tryOut(request, target, reply)
            default: try dispatch(route, request, reply)
            }
        } catch let error as HTTPConnectionError {
            reply.send(answer(for: error))
        } catch {
            reply.send(Self.error(HalcyonError(wrapping: error)))
        }
    }

    package func answer(for error: HTTPConnectionError) -> HTTPAnswer {
        Self.jsonAnswer(ServerDocuments.error(error.message), status: error.status)
    }

    // MARK: Everything but inference

    private func dispatch(_ route: HTTPRoute, _ request: HTTPRequest, _ reply: HTTPReply) throws {
        switch route {
        case .live: reply.send(Self.health(service.server.isLive))
        case .ready: reply.send(Self.health(service.isReady))
        case .serverMetadata: reply.send(Self.jsonAnswer(ServerDocuments.metadata(service.metadata)))
        case .modelReady(let target): reply.send(modelReady(target))
        case .modelMetadata(let target):
            reply.send(
                Self.jsonAnswer(
                    ServerDocuments.metadata(
                        try service.server.modelMetadata(target.model, version: target.version))))
        case .modelConfiguration(let target):
            reply.send(
                Self.jsonAnswer(
                    try service.server.modelConfiguration(target.model, version: target.version).jsonValue))
        case .statistics(let target):
            let statistics = try service.server.statistics(model: target?.model, version: target?.version)
            reply.send(Self.statisticsAnswer(statistics))
        case .batches(let target):
            let after = try QueryParameters(request.uri).number("after") ?? 0
            reply.send(
                Self.jsonAnswer(
                    try service.server.batches(target.model, version: target.version, after: after).jsonValue))
        case .repositoryIndex:
            let readyOnly = try JSONBody.bool(request.body, "ready", limits: service.limits) ?? false
            reply.send(Self.jsonAnswer(ServerDocuments.index(service.server.modelIndex(), readyOnly: readyOnly)))
        case .load(let model):
            try service.server.checkRepositoryControl()
            // Files are texts at first, and then bytes that the load holds.
            let charge = try service.budget.charge(2 * request.body.byteCount)
            let load = try LoadRequest(try JSONBody.parameters(request.body, limits: service.limits), model: model)
            try changeModel(reply) { [service] in
                try await service.load(model, load)
                withExtendedLifetime(charge) {}
            }
        case .unload(let model):
            try service.server.checkRepositoryControl()
            let dependents = try JSONBody.flag(request.body, "unload_dependents", limits: service.limits)
            try changeModel(reply) { [service] in try await service.unload(model, dependents: dependents) }
        case .sharedMemoryStatus(let name):
            reply.send(Self.jsonAnswer(ServerDocuments.regions(try service.memory.status(name ?? ""))))
        case .sharedMemoryRegister(let name):
            try service.memory.checkAllowed()
            try service.memory.register(try Self.region(name, request, service))
            reply.send(Self.empty)
        case .sharedMemoryUnregister(let name):
            try service.memory.unregister(name ?? "")
            reply.send(Self.empty)
        case .deviceMemoryStatus(let name):
            reply.send(Self.jsonAnswer(ServerDocuments.deviceRegions(try service.memory.deviceStatus(name ?? ""))))
        case .deviceMemoryRegister(let name): try registerDeviceMemory(name, request, reply)
        case .deviceMemoryUnregister(let name):
            try service.memory.unregisterDevice(name ?? "")
            reply.send(Self.empty)
        case .logging: try logging(request, reply)
        case .trace(let model): try trace(model, request, reply)
        case .page(let name): reply.send(pageFile(name))
        case .events(let target): try LiveEvents.start(request, target, service, reply)
        case .infer, .generate, .tryOut: break
        }
    }

    private static func statisticsAnswer(_ statistics: ServerStatistics) -> HTTPAnswer {
        HTTPAnswer(status: .ok, head: Array(statistics.json.utf8))
    }

    private func modelReady(_ target: HTTPRoute.Target) -> HTTPAnswer {
        do throws(HalcyonError) {
            return Self.health(try service.server.resolve(target.model, version: target.version).isReady)
        } catch {
            // Not ready is 400, whatever the reason: clients of Triton ask for nothing else.
            return error.code == .notFound ? Self.plainError(.badRequest, error.message) : Self.health(false)
        }
    }

    /// Loading takes a while, and happens off the event loop.
    private func changeModel(_ reply: HTTPReply, _ body: @escaping @Sendable () async throws -> Void) throws {
        try service.server.checkRepositoryControl()
        let change = Task {
            do {
                try await body()
                reply.send(Self.empty)
            } catch {
                reply.send(Self.error(HalcyonError(wrapping: error)))
            }
        }
        reply.onCancel { change.cancel() }
    }

    private static func region(
        _ name: String, _ request: HTTPRequest, _ service: InferenceService
    ) throws -> SharedMemory.Status {
        let body = try JSONBody.object(request.body, limits: service.limits)
        guard case .string(let key)? = body["key"] else { throw JSONBody.missing("key") }
        guard case .integer(let size)? = body["byte_size"], size >= 0 else { throw JSONBody.missing("byte_size") }
        var offset: Int64 = 0
        if let given = body["offset"] {
            guard case .integer(let value) = given, value >= 0 else { throw JSONBody.missing("offset") }
            offset = value
        }
        return SharedMemory.Status(name: name, key: key, offset: Int(offset), byteCount: Int(size))
    }

    private func registerDeviceMemory(_ name: String, _ request: HTTPRequest, _ reply: HTTPReply) throws {
        try service.memory.checkAllowed()
        let body = try JSONBody.object(request.body, limits: service.limits)
        guard let text = body["raw_handle"]?["b64"]?.text else { throw JSONBody.missing("raw_handle.b64") }
        guard let bytes = Base64.decode(text) else {
            throw HalcyonError(.invalidArgument, "Unable to parse 'raw_handle': 'b64' is not base64")
        }
        guard case .integer(let device)? = body["device_id"], device >= 0 else { throw JSONBody.missing("device_id") }
        guard case .integer(let size)? = body["byte_size"], size >= 0 else { throw JSONBody.missing("byte_size") }
        let region = SharedMemory.DeviceStatus(name: name, device: Int(device), byteCount: Int(size))
        try service.register(region, handle: bytes) { result in
            switch result {
            case .success: reply.send(Self.empty)
            case .failure(let error): reply.send(Self.error(error))
            }
        }
    }

    // MARK: Settings

    private func logging(_ request: HTTPRequest, _ reply: HTTPReply) throws {
        if request.method == .POST {
            try service.logSettings.change(try JSONBody.object(request.body, limits: service.limits))
        }
        reply.send(Self.jsonAnswer(service.logSettings.json))
    }

    private func trace(_ model: String?, _ request: HTTPRequest, _ reply: HTTPReply) throws {
        let values =
            request.method == .POST ? try JSONBody.texts(request.body, limits: service.limits) : [:]
        reply.send(Self.jsonAnswer(try service.traceSettings(model, change: values).json))
    }

    // MARK: Inference

    private func infer(_ request: HTTPRequest, _ target: HTTPRoute.Target, _ reply: HTTPReply) {
        let trace = beginTrace(request, target)
        do {
            let model = try find(target)
            var call = try readCall(request, target, model)
            call.request.trace = trace
            headers?.add(to: &call.request, from: request.headers)
            let delivery = AnswerDelivery(
                reply: reply, headers: request.headers, trace: trace, budget: service.budget, pool: service.pool)
            let handle = service.infer(call, on: model) { delivery.give($0, Self.answer) }
            if let handle { reply.onCancel { handle.cancel() } }
        } catch let error as HTTPConnectionError {
            reply.send(Self.plainError(error.status, error.message))
        } catch {
            reply.send(Self.error(Self.explained(HalcyonError(wrapping: error), request.body)))
        }
    }

    /// What is wrong with any request for the model is found before its body is looked at.
    func find(_ target: HTTPRoute.Target) throws -> ModelHandle {
        let model: ModelHandle
        do throws(HalcyonError) {
            model = try service.server.resolve(target.model, version: target.version)
        } catch {
            guard error.code == .notFound else { throw error }
            throw HTTPConnectionError(.notFound, error.message)
        }
        guard !model.isDecoupled else {
            throw HalcyonError(
                .unsupported, "HTTP end point doesn't support models with decoupled transaction policy")
        }
        return model
    }

    private func beginTrace(_ request: HTTPRequest, _ target: HTTPRoute.Target) -> Trace? {
        let trace = service.tracer.trace(target.model) { request.headers.first(name: $0) }
        guard let trace else { return nil }
        trace.reached(.httpReceiveStart, at: request.receiveStart.uptimeNanoseconds)
        trace.reached(.httpReceiveEnd, at: NIODeadline.now().uptimeNanoseconds)
        return trace
    }

    func readCall(
        _ request: HTTPRequest, _ target: HTTPRoute.Target, _ model: borrowing ModelHandle
    ) throws -> InferenceCall {
        let count = request.body.byteCount
        var jsonCount = count
        if let header = request.headers.first(name: "inference-header-content-length") {
            guard let value = Int(header), value >= 0, value <= count else {
                throw HTTPConnectionError(
                    .badRequest, "inference header size should be in range (0, \(count)), got: \(header)")
            }
            jsonCount = value
        }
        if jsonCount == 0 {
            return try RawBinaryRequest.read(request.body, for: model.interface, budget: service.budget)
        }
        return try InferenceJSONReader(limits: service.limits, memory: service.memory, budget: service.budget).read(
            request.body, jsonByteCount: jsonCount, model: target.model, version: target.version)
    }

    private static func answer(_ result: InferenceResult) throws(HalcyonError) -> HTTPAnswer {
        let writer = try InferenceJSONWriter(result)
        var answer = HTTPAnswer(status: .ok, head: writer.json, tail: writer.binary)
        answer.mayBeCompressed = true
        guard result.outputs.contains(where: \.isBinary) else { return answer }
        answer.contentType = "application/octet-stream"
        answer.headers = [("Inference-Header-Content-Length", String(writer.json.count))]
        return answer
    }

    private func generate(
        _ request: HTTPRequest, _ target: HTTPRoute.Target, _ isStream: Bool, _ reply: HTTPReply
    ) {
        let trace = beginTrace(request, target)
        do {
            let model = try service.server.resolve(target.model, version: target.version)
            var call = try GenerateRequest.read(
                request.body, for: model.interface, limits: service.limits, budget: service.budget)
            call.request.trace = trace
            headers?.add(to: &call.request, from: request.headers)
            if isStream { call.request.flow = ResponseFlow() }
            let take = generateHandler(request, flow: call.request.flow, trace, reply)
            let handle = service.infer(call, on: model, handler: take)
            if let handle { reply.onCancel { handle.cancel() } }
        } catch {
            reply.send(Self.error(Self.explained(HalcyonError(wrapping: error), request.body)))
        }
    }

    /// - Parameter flow: that of a stream of answers; `nil` for one answer.
    private func generateHandler(
        _ request: HTTPRequest, flow: ResponseFlow?, _ trace: Trace?, _ reply: HTTPReply
    ) -> @Sendable (Result<InferenceResult, HalcyonError>) -> Void {
        if let flow {
            let stream = GenerateStream(reply, flow: flow, budget: service.budget)
            return { stream.take($0) }
        }
        let delivery = AnswerDelivery(
            reply: reply, headers: request.headers, trace: trace, budget: service.budget, pool: service.pool)
        let once = GenerateOnce { delivery.give($0, Self.generated) }
        return { once.take($0) }
    }

    private static func generated(_ result: InferenceResult) throws(HalcyonError) -> HTTPAnswer {
        HTTPAnswer(status: .ok, head: try GenerateResponse.json(result))
    }

    /// The error of a body that can't be read, with what it seems to be.
    private static func explained(_ error: HalcyonError, _ body: TensorBuffer) -> HalcyonError {
        let isOfTheBody = ["failed to parse the request JSON buffer", "Unable to parse 'request'"].contains {
            error.message.hasPrefix($0)
        }
        guard isOfTheBody, let advice = ForeignBody.advice(body) else { return error }
        return error.reworded("\(error.message); \(advice)")
    }

    // MARK: Answers

    static let empty = HTTPAnswer(status: .ok)

    private static func health(_ isHealthy: Bool) -> HTTPAnswer {
        HTTPAnswer(status: isHealthy ? .ok : .badRequest, contentType: "text/plain")
    }

    static func jsonAnswer(_ document: JSONValue, status: HTTPResponseStatus = .ok) -> HTTPAnswer {
        HTTPAnswer(status: status, head: Array(document.compact.utf8))
    }

    /// The error of an answer that is not the protocol's: no such path, for instance.
    static func plainError(_ status: HTTPResponseStatus, _ message: String) -> HTTPAnswer {
        HTTPAnswer(
            status: status, contentType: "text/plain",
            head: Array(ServerDocuments.error(message.shortened(to: longestMessage)).compact.utf8))
    }

    /// Bytes of an error's text that are sent: what it repeats of a request may be long.
    static let longestMessage = 4 << 10

    static func error(_ error: HalcyonError) -> HTTPAnswer {
        var answer = jsonAnswer(
            ServerDocuments.error(error.message.shortened(to: longestMessage)),
            status: HTTPResponseStatus(statusCode: error.code.httpStatus))
        if error.code == .unavailable { answer.headers.append(("Retry-After", "\(error.retryAfterSeconds)")) }
        return answer
    }
}

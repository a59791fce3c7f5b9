internal import CTriton
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A response that a backend is making.
package final class ResponseObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .response }
    let source: any RequestSource
    let model: ModelObject
    private struct Parts {
        var outputs: [OutputObject] = []
        var parameters: [InferenceParameter] = []
        /// Whether it has been sent or deleted.
        var isOver = false
        /// Whether whoever gives memory knows of it.
        var isStarted = false
    }
    private let parts = Locked(Parts())

    init(_ source: any RequestSource, of model: ModelObject) {
        self.source = source
        self.model = model
    }

    var outputs: [OutputObject] { parts.withLock { $0.outputs } }

    /// - Throws: `invalidArgument` where it has been sent or deleted meanwhile.
    func add(_ output: OutputObject) throws(HalcyonError) {
        let isOver = parts.withLock { parts in
            if !parts.isOver { parts.outputs.append(output) }
            return parts.isOver
        }
        guard isOver else { return }
        output.end()
        throw HalcyonError(.invalidArgument, "the response of output '\(output.nameText)' has been sent or deleted")
    }

    func add(_ parameter: InferenceParameter) {
        parts.withLock { parts in
            parts.parameters.removeAll { $0.name == parameter.name }
            parts.parameters.append(parameter)
        }
    }

    /// Who has memory for its outputs, and knows now that it is this response's; `nil` for nobody.
    func memory() throws(HalcyonError) -> (any OutputMemory)? {
        guard let memory = source.outputMemory else { return nil }
        let isFirst = parts.withLock { parts in
            defer { parts.isStarted = true }
            return !parts.isStarted
        }
        if isFirst { try memory.startResponse() }
        return memory
    }

    /// Gives up the pointers of its outputs.
    func end() { for output in close().outputs { output.end() } }

    /// What there is by now: nothing is added any more.
    private func close() -> Parts {
        parts.withLock { parts in
            parts.isOver = true
            return parts
        }
    }

    /// Hands it to the caller.
    ///
    /// - Parameter error: in its place.
    func send(isFinal: Bool, error: HalcyonError?) throws(HalcyonError) {
        let parts = close()
        for output in parts.outputs { output.end() }
        let mayGoOn = model.isDecoupled && !isFinal
        if let error, !mayGoOn { return source.fail(error) }
        do throws(HalcyonError) {
            if let error { return try source.respond(failing: error) }
            var tensors: [Tensor] = []
            tensors.reserveCapacity(parts.outputs.count)
            for output in parts.outputs { tensors.append(try output.tensor()) }
            try source.respond(tensors, parameters: parts.parameters, isFinal: !mayGoOn)
        } catch {
            // The caller is told why there is no response; that it has gone is no fault of anybody's.
            guard error.code != .cancelled else { return }
            source.fail(error)
            throw error
        }
    }
}

/// An output of a response that a backend is making.
package final class OutputObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .output }
    let name: CText
    let nameText: String
    let elementType: ElementType
    let shape: UnsafeMutableBufferPointer<Int64>
    private struct State {
        var storage: TensorStorage?
        /// Its response, until it ends; `nil` for a state, which stays here.
        var response: ResponseObject?
    }
    private let state: Locked<State>
    private let attributes = GivenHandle()
    private let own = GivenHandle()

    init(
        _ nameText: String, name: CText, _ elementType: ElementType, shape: UnsafeBufferPointer<Int64>,
        of response: ResponseObject? = nil
    ) throws(HalcyonError) {
        state = Locked(State(response: response))
        self.nameText = nameText
        self.name = name
        self.elementType = elementType
        self.shape = .allocate(capacity: shape.count)
        _ = self.shape.initialize(from: shape)
        super.init()
        do throws(HalcyonError) {
            try own.give(self)
        } catch {
            end()
            throw error
        }
    }

    deinit { shape.deallocate() }

    var handle: OpaquePointer? { own.pointer }

    /// Memory for its bytes, which the backend writes: the caller's own, where it has some.
    ///
    /// - Parameter placement: where the backend would like it.
    func buffer(byteCount: Int, in placement: MemoryPlacement) throws(HalcyonError) -> TensorStorage {
        let response = state.withLock { $0.response }
        let given = try response?.memory()?.storage(for: nameText, byteCount: byteCount, in: placement)
        let storage = if let given { given } else { try TensorStorage.reserve(byteCount: byteCount) }
        state.withLock { $0.storage = storage }
        // What was said of another piece of memory.
        attributes.take(BufferAttributesObject.self)
        return storage
    }

    func attributesHandle() throws(HalcyonError) -> OpaquePointer {
        guard let storage = state.withLock({ $0.storage }) else {
            throw HalcyonError(.invalidArgument, "output '\(nameText)' has no memory yet: ask for its buffer first")
        }
        return try attributes.give(
            BufferAttributesObject(placement: storage.placement, byteCount: storage.byteCount))
    }

    /// - Throws: `invalidArgument` where its bytes are not as many as type and shape say.
    func tensor() throws(HalcyonError) -> Tensor {
        let storage = state.withLock { $0.storage } ?? .allocate(byteCount: 0)
        return try Tensor(
            name: nameText, elementType: elementType, shape: TensorShape(shape.map { Int(clamping: $0) }),
            data: TensorBuffer(storage))
    }

    func end() {
        attributes.take(BufferAttributesObject.self)
        own.take(OutputObject.self)
        // The response has its outputs, and each of those its response.
        let response = state.withLock { $0.response.take() }
        withExtendedLifetime(response) {}
    }
}

/// By which a backend answers a request that it has given back.
package final class ResponseFactoryObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .responseFactory }
    let source: any RequestSource
    let model: ModelObject
    /// Where its instance remembers it; `nil` where it need not.
    let held: HeldRequests?
    private let responses = Locked(0)

    init(of request: RequestObject) {
        source = request.source
        model = request.model
        held = request.held
    }

    /// The number of the response that is reported next.
    func nextIndex() -> Int {
        responses.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}

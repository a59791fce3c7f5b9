internal import CTriton
internal import JSONText
internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// A trace that C programs hold: what is known of a request's way is told to functions of theirs.
package final class InferenceTraceObject: TritonObject, @unchecked Sendable {
    struct Functions: @unchecked Sendable {
        var activity: TRITONSERVER_InferenceTraceActivityFn_t
        /// `nil` where the program wants to see no tensors.
        var tensor: TRITONSERVER_InferenceTraceTensorActivityFn_t?
        var release: TRITONSERVER_InferenceTraceReleaseFn_t
        var userp: UnsafeMutableRawPointer?
    }

    /// What may change while others look.
    private struct State: @unchecked Sendable {
        /// What the program calls it.
        var pointer: OpaquePointer?
        var modelVersion: Int64 = -1
        /// What was handed out as C reads it, and is so no longer: pointers stay valid as long as the trace.
        var texts: [CText] = []
        var modelName = CText("")
        var requestID = CText("")
        /// As it was set, without what was added.
        var context = ""
        var added: [JSONValue.Member] = []
        /// All of it as C reads it; `nil` until somebody asks.
        var contextText: CText?

        mutating func changeContext() {
            if let contextText { texts.append(contextText) }
            contextText = nil
        }
    }

    package override class var kind: HandleKind { .inferenceTrace }

    private static let nextID = Atomic<UInt64>(1)

    let id = InferenceTraceObject.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    let parentID: UInt64
    /// The bits of `TRITONSERVER_InferenceTraceLevel`.
    let level: UInt32
    private let functions: Functions
    private let state = Locked(State())

    init(level: UInt32, parentID: UInt64, _ functions: Functions) {
        self.level = level
        self.parentID = parentID
        self.functions = functions
        super.init()
    }

    func isCalled(_ pointer: OpaquePointer) { state.withLock { $0.pointer = pointer } }

    /// A trace of something that is done for this one's request. The program gets it like its own.
    func child() throws(HalcyonError) -> (InferenceTraceObject, OpaquePointer) {
        let child = InferenceTraceObject(level: level, parentID: id, functions)
        let pointer = try Handles.give(child)
        child.isCalled(pointer)
        return (child, pointer)
    }

    // MARK: What is known

    var modelName: UnsafePointer<CChar> { state.withLock { $0.modelName.pointer } }
    var modelVersion: Int64 { state.withLock { $0.modelVersion } }
    var requestID: UnsafePointer<CChar> { state.withLock { $0.requestID.pointer } }

    var context: UnsafePointer<CChar> {
        state.withLock { state in
            if let known = state.contextText { return known.pointer }
            let text = CText(Self.context(state.context, with: state.added))
            state.contextText = text
            return text.pointer
        }
    }

    func set(context: String) {
        state.withLock { state in
            state.changeContext()
            state.context = context
            state.added = []
        }
    }

    /// Something of a caller's own has happened. Its name is a member of the context, by the time.
    func report(_ name: String, at time: UInt64) {
        state.withLock { state in
            state.changeContext()
            state.added.append(.init(String(time), .string(name)))
        }
        tell(TRITONSERVER_TRACE_CUSTOM_ACTIVITY, at: time)
    }

    /// What is no object of JSON gives way to what is added.
    private static func context(_ context: String, with added: [JSONValue.Member]) -> String {
        guard !added.isEmpty else { return context }
        var text = context
        let known = text.withUTF8 { bytes -> JSONValue? in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: 64)
            return try? scanner.value()
        }
        guard case .object(let members)? = known else { return JSONValue.object(added).compact }
        return JSONValue.object(members + added).compact
    }

    // MARK: What is told

    private static let timestamps = TRITONSERVER_TRACE_LEVEL_TIMESTAMPS.rawValue
    private static let tensors = TRITONSERVER_TRACE_LEVEL_TENSORS.rawValue
    /// The older levels, which mean times.
    private static let older = TRITONSERVER_TRACE_LEVEL_MIN.rawValue | TRITONSERVER_TRACE_LEVEL_MAX.rawValue

    var wantsTensors: Bool { functions.tensor != nil && level & Self.tensors != 0 }

    func began(model: String, version: Int64, requestID: String) {
        state.withLock { state in
            state.texts += [state.modelName, state.requestID]
            state.modelName = CText(model)
            state.modelVersion = version
            state.requestID = CText(requestID)
        }
    }

    func reached(_ point: TracePoint, at time: UInt64) {
        let activity: TRITONSERVER_InferenceTraceActivity
        switch point {
        case .requestStart: activity = TRITONSERVER_TRACE_REQUEST_START
        case .queueStart: activity = TRITONSERVER_TRACE_QUEUE_START
        case .computeStart: activity = TRITONSERVER_TRACE_COMPUTE_START
        case .computeInputEnd: activity = TRITONSERVER_TRACE_COMPUTE_INPUT_END
        case .computeOutputStart: activity = TRITONSERVER_TRACE_COMPUTE_OUTPUT_START
        case .computeEnd: activity = TRITONSERVER_TRACE_COMPUTE_END
        case .requestEnd: activity = TRITONSERVER_TRACE_REQUEST_END
        default: return
        }
        tell(activity, at: time)
    }

    private func tell(_ activity: TRITONSERVER_InferenceTraceActivity, at time: UInt64) {
        guard level & (Self.timestamps | Self.older) != 0 else { return }
        let pointer = state.withLock { $0.pointer }
        Callback.call { functions.activity(pointer, activity, time, functions.userp) }
    }

    func saw(_ tensor: Tensor, as role: TracedTensor) {
        guard wantsTensors, let function = functions.tensor else { return }
        let activity =
            switch role {
            case .queueInput: TRITONSERVER_TRACE_TENSOR_QUEUE_INPUT
            case .backendOutput: TRITONSERVER_TRACE_TENSOR_BACKEND_OUTPUT
            }
        let pointer = state.withLock { $0.pointer }
        let (type, typeID) = tensor.data.placement.triton
        let shape = tensor.shape.dimensions.map { Int64($0) }
        withExtendedLifetime(tensor) {
            tensor.name.withCString { name in
                Callback.call {
                    function(
                        pointer, activity, name, tensor.elementType.triton, tensor.data.baseAddress,
                        tensor.data.byteCount, shape, UInt64(shape.count), type, typeID, functions.userp)
                }
            }
        }
    }

    /// The program gets it back.
    func release() {
        let pointer = state.withLock { $0.pointer }
        Callback.call { functions.release(pointer, functions.userp) }
    }
}

internal import ModelRuntime
internal import Tensors

/// A program's trace, as long as the server has it: it goes back when nobody is left who could add to it.
final class TraceLease: RequestTrace {
    private let trace: InferenceTraceObject

    init(_ trace: InferenceTraceObject) { self.trace = trace }

    deinit {
        // Whoever drops the last reference may hold a lock.
        CallbackThreads.shared.run { [trace] in trace.release() }
    }

    var wantsTensors: Bool { trace.wantsTensors }

    func began(model: String, version: Int64, requestID: String) {
        trace.began(model: model, version: version, requestID: requestID)
    }

    func reached(_ point: TracePoint, at time: UInt64) { trace.reached(point, at: time) }

    func saw(_ tensor: Tensor, as role: TracedTensor) { trace.saw(tensor, as: role) }

    func failed(_ error: HalcyonError) {}

    func step() -> any RequestTrace {
        // Without room for another handle the step is not traced.
        (try? trace.child()).map { TraceLease($0.0) } ?? Untraced()
    }
}

/// A step that is not traced.
private struct Untraced: RequestTrace {
    var wantsTensors: Bool { false }
    func began(model: String, version: Int64, requestID: String) {}
    func reached(_ point: TracePoint, at time: UInt64) {}
    func saw(_ tensor: Tensor, as role: TracedTensor) {}
    func failed(_ error: HalcyonError) {}
    func step() -> any RequestTrace { self }
}

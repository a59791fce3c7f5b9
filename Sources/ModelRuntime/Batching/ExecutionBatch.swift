public import Tensors
package import Threads

/// One or more requests that run as one.
public struct ExecutionBatch {
    /// The inputs with their complete shapes: one request's own bytes, or the rows of several requests, gathered.
    public let inputs: [Tensor]
    /// Items in the batch: the sum of its requests' batch sizes; 1 where the model does not batch.
    public let batchSize: Int
    /// The outputs that at least one of the requests wants; `nil` for all.
    public let requestedOutputs: Set<String>?
    /// Where all of its requests want the outputs. An instance that can't give them there gives them where the
    /// processor reads them, and the engine copies them; `nil` for the latter in any case.
    public let outputPlacement: MemoryPlacement?
    /// Whether it only warms the model up: the inputs may mean nothing, and nobody waits for the outputs.
    public let isWarmUp: Bool

    /// Who has memory for the outputs, where the batch is a single request whose caller has such.
    private let outputMemory: (any OutputMemory)?
    private var hasAskedForMemory = false
    /// What outputs are to be written into.
    private var given: [TensorBuffer] = []
    private let clock: any MonotonicClock
    /// When the engine began and finished to compute, in the clock's nanoseconds; 0 where the instance did not say.
    package private(set) var inferenceStart: UInt64 = 0
    package private(set) var inferenceEnd: UInt64 = 0
    /// What a device measured itself.
    package private(set) var deviceTimes: DeviceTimes?

    package init(
        inputs: [Tensor], batchSize: Int, requestedOutputs: Set<String>?, clock: any MonotonicClock,
        isWarmUp: Bool = false, outputPlacement: MemoryPlacement? = nil, outputMemory: (any OutputMemory)? = nil
    ) {
        self.outputMemory = outputMemory
        self.outputPlacement = outputPlacement
        self.inputs = inputs
        self.batchSize = batchSize
        self.requestedOutputs = requestedOutputs
        self.clock = clock
        self.isWarmUp = isWarmUp
    }

    /// Ends the *compute input* time and begins the *compute infer* time. Without this call, all of `execute` counts
    /// as inference.
    public mutating func inferenceWillStart() { inferenceStart = clock.now() }

    /// Ends the *compute infer* time; what follows counts as *compute output*.
    public mutating func inferenceDidEnd() { inferenceEnd = clock.now() }

    /// Says how long the stages took by a device's own clock, in place of the two calls above. Call it when the device
    /// is done.
    package mutating func deviceDidMeasure(_ times: DeviceTimes) { deviceTimes = times }

    /// Whether ``callersMemory(for:shape:as:)`` may give any.
    package var hasCallersMemory: Bool { outputMemory != nil }

    /// Memory of the caller's for an output, which an engine asks for before it executes: so only for an output whose
    /// shape is certain. Memory that is answered with is not copied again, and other memory goes back.
    ///
    /// - Returns: `nil` where the caller has none that the processor reaches, at an address that suits the elements,
    ///   and apart from inputs and other outputs; for no bytes, and for texts, of which nobody knows how long they are.
    package mutating func callersMemory(
        for output: String, shape: TensorShape, as type: ElementType
    ) -> TensorStorage? {
        guard let outputMemory, let size = type.byteSize, let byteCount = try? shape.byteCount(of: type), byteCount > 0
        else { return nil }
        do {
            if !hasAskedForMemory {
                try outputMemory.startResponse()
                hasAskedForMemory = true
            }
            let storage = try outputMemory.storage(for: output, byteCount: byteCount, in: .cpu)
            let isFit = storage.placement.isHostAccessible && UInt(bitPattern: storage.baseAddress) % UInt(size) == 0
            let memory = TensorBuffer(storage)
            guard isFit, !inputs.contains(where: { $0.data.overlaps(memory) }), !given.contains(where: memory.overlaps)
            else { return nil }
            given.append(memory)
            return storage
        } catch {
            // The caller says so again when there is an answer to put somewhere.
            return nil
        }
    }

    /// The input with that name.
    ///
    /// - Throws: `internal` where the batch has none, which a configuration that names the input rules out.
    public func input(_ name: String) throws(HalcyonError) -> Tensor {
        guard let input = inputs.first(where: { $0.name == name }) else {
            throw HalcyonError(.internal, "the batch has no input '\(name)'")
        }
        return input
    }
}

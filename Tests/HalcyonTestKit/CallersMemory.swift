package import ModelRuntime
package import Tensors
internal import Threads

/// A caller that has memory of its own for outputs, and says what was asked of it.
package final class CallersMemory: OutputMemory {
    private struct State {
        var asked: [String] = []
        var starts = 0
        var taken: [UInt: Int] = [:]
    }

    private let state = Locked(State())
    /// Bytes from an aligned address to that of the memory.
    private let offset: Int

    /// Memory that is given each time; `nil` for another each time.
    private let fixed: TensorStorage?

    package init(offset: Int = 0, over fixed: TensorStorage? = nil) {
        self.offset = offset
        self.fixed = fixed
    }

    /// The outputs that memory was asked for, in order.
    package var asked: [String] { state.withLock { $0.asked } }
    package var starts: Int { state.withLock { $0.starts } }
    /// How much of its memory is referred to.
    package var inUse: Int { state.withLock { $0.taken.count } }

    /// Whether that is memory of its own.
    package func gave(_ data: TensorBuffer) -> Bool {
        state.withLock { $0.taken[UInt(bitPattern: data.baseAddress)] == data.byteCount }
    }

    package func startResponse() { state.withLock { $0.starts += 1 } }

    package func storage(for output: String, byteCount: Int, in placement: MemoryPlacement) -> TensorStorage {
        let whole = fixed ?? TensorStorage.allocate(byteCount: byteCount + offset)
        let address = whole.baseAddress + offset
        state.withLock { state in
            state.asked.append(output)
            state.taken[UInt(bitPattern: address)] = byteCount
        }
        return TensorStorage(owning: address, byteCount: byteCount) { [self] address in
            withExtendedLifetime(whole) {
                state.withLock { state in _ = state.taken.removeValue(forKey: UInt(bitPattern: address)) }
            }
        }
    }

    package func plan(for output: String?, byteCount: Int?) -> OutputPlan? { nil }
}

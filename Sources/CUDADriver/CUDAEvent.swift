internal import CCUDADriver
package import Tensors

/// A moment in a stream, as the GPU's own clock saw it.
package final class CUDAEvent: @unchecked Sendable {
    private let context: CUDAContext
    let handle: OpaquePointer

    package init(_ context: CUDAContext) throws(HalcyonError) {
        self.context = context
        let attempt = "GPU \(context.device.number) gives no event"
        let made = try context.withCurrent(attempt) { functions -> (cuda_result_t, OpaquePointer?) in
            var event: OpaquePointer?
            return (functions.cuEventCreate(&event, 0), event)
        }
        guard let made else { throw HalcyonError(.internal, attempt) }
        handle = made
    }

    deinit {
        _ = try? context.withCurrent("") { functions in (functions.cuEventDestroy_v2(handle), ()) }
    }

    /// Waits until the moment has come.
    package func synchronize() throws(HalcyonError) {
        try context.withCurrent("GPU \(context.device.number) failed") { ($0.cuEventSynchronize(handle), ()) }
    }

    /// Nanoseconds from an earlier moment to this one. Both must have come.
    package func nanoseconds(since earlier: CUDAEvent) throws(HalcyonError) -> UInt64 {
        let milliseconds = try context.withCurrent("GPU \(context.device.number) measures no time") {
            functions -> (cuda_result_t, Float) in
            var milliseconds: Float = 0
            return (functions.cuEventElapsedTime(&milliseconds, earlier.handle, handle), milliseconds)
        }
        return UInt64(max(0, Double(milliseconds) * 1_000_000).rounded())
    }
}

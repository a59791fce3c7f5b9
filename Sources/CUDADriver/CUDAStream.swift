internal import CCUDADriver
package import Tensors

/// A queue of work for a GPU, in order. Used by one thread at a time.
package final class CUDAStream: @unchecked Sendable {
    package let context: CUDAContext
    private let handle: OpaquePointer

    /// Work does not wait for the default stream's, nor the other way round.
    private static let nonBlocking: UInt32 = 1

    package init(_ context: CUDAContext) throws(HalcyonError) {
        self.context = context
        let attempt = "GPU \(context.device.number) gives no stream"
        let made = try context.withCurrent(attempt) { functions -> (cuda_result_t, OpaquePointer?) in
            var stream: OpaquePointer?
            return (functions.cuStreamCreate(&stream, Self.nonBlocking), stream)
        }
        guard let made else { throw HalcyonError(.internal, attempt) }
        handle = made
    }

    deinit {
        _ = try? context.withCurrent("") { functions in (functions.cuStreamDestroy_v2(handle), ()) }
    }

    /// What engines take as a stream of the user's.
    package var rawPointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(handle) }

    /// Begins to copy bytes between any two places that the driver knows or the processor has.
    ///
    /// Both must stay until ``synchronize()`` has returned.
    package func copy(
        byteCount: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
    ) throws(HalcyonError) {
        guard byteCount > 0 else { return }
        try context.withCurrent("copying \(byteCount) bytes with GPU \(context.device.number) failed") {
            (
                $0.cuMemcpyAsync(
                    cuda_address_t(UInt(bitPattern: target)), cuda_address_t(UInt(bitPattern: source)), byteCount,
                    handle), ()
            )
        }
    }

    /// Waits for all that was begun.
    package func synchronize() throws(HalcyonError) {
        try context.withCurrent("GPU \(context.device.number) failed") { ($0.cuStreamSynchronize(handle), ()) }
    }

    /// Notes in the event when all that was begun so far is done.
    package func record(_ event: CUDAEvent) throws(HalcyonError) {
        try context.withCurrent("GPU \(context.device.number) takes no time") {
            ($0.cuEventRecord(event.handle, handle), ())
        }
    }
}

internal import CCUDADriver
internal import Tensors

/// The driver's primary context of a GPU, which the engines use as well; retained as long as this lives.
package final class CUDAContext: @unchecked Sendable {
    package let driver: NVIDIADriver
    package let device: CUDADevice
    private let handle: OpaquePointer

    init(_ driver: NVIDIADriver, _ device: CUDADevice) throws(HalcyonError) {
        self.driver = driver
        self.device = device
        var context: OpaquePointer?
        let attempt = "GPU \(device.number) can't be used"
        try driver.check(driver.functions.cuDevicePrimaryCtxRetain(&context, device.handle), attempt)
        guard let context else { throw HalcyonError(.internal, "\(attempt): the driver gave no context") }
        handle = context
    }

    deinit { _ = driver.functions.cuDevicePrimaryCtxRelease_v2(device.handle) }

    /// Calls the driver with this context as the calling thread's. The thread's own is back afterwards.
    func withCurrent<Value>(
        _ attempt: @autoclosure () -> String, _ body: (cuda_functions_t) -> (cuda_result_t, Value)
    ) throws(HalcyonError) -> Value {
        let (result, value) = try attemptWithCurrent(attempt(), body)
        try driver.check(result, attempt())
        return value
    }

    /// The same, with what the driver says as a value.
    func attemptWithCurrent<Value>(
        _ attempt: @autoclosure () -> String, _ body: (cuda_functions_t) -> (cuda_result_t, Value)
    ) throws(HalcyonError) -> (result: cuda_result_t, value: Value) {
        try driver.check(driver.functions.cuCtxPushCurrent_v2(handle), attempt())
        let outcome = body(driver.functions)
        var popped: OpaquePointer?
        try driver.check(driver.functions.cuCtxPopCurrent_v2(&popped), attempt())
        return (outcome.0, outcome.1)
    }
}

package import CCUDADriver
private import Glibc
internal import LibraryFiles
package import Tensors

/// NVIDIA's driver, opened at run time. It stays open as long as the process lives.
package final class NVIDIADriver: @unchecked Sendable {
    let functions: cuda_functions_t
    /// The GPUs in the driver's order, which is what their numbers are.
    package let devices: [CUDADevice]

    /// The oldest version of CUDA whose driver has all that is called.
    private static let oldestVersion = 11_000
    private static let remedy = "Halcyon needs a driver for CUDA 11.0 or newer (450.80 and later)"
    private static let noDevice: cuda_result_t = 100
    static let outOfMemory: cuda_result_t = 2

    /// - Parameter names: what the system's loader is asked for.
    /// - Throws: `unavailable` where there is no driver, or one that is too old.
    package static func open(names: [String] = ["libcuda.so.1"]) throws(HalcyonError) -> NVIDIADriver {
        let library = try DynamicLibrary.open(names) { reason in
            HalcyonError(.unavailable, "there is no NVIDIA driver on this machine: \(reason)")
        }
        let functions = try library.functions { (handle, table) throws(HalcyonError) in
            guard let missing = cuda_bind(handle, table) else { return }
            throw HalcyonError(
                .unavailable,
                "the NVIDIA driver ('\(library.name)') is too old: it has no function \(String(cString: missing)); "
                    + remedy)
        }
        return try NVIDIADriver(functions: functions)
    }

    package init(functions: cuda_functions_t) throws(HalcyonError) {
        self.functions = functions
        let result = functions.cuInit(0)
        guard result != Self.noDevice else {
            devices = []
            return
        }
        try Self.check(result, functions, "the NVIDIA driver does not start")
        var version: Int32 = 0
        try Self.check(functions.cuDriverGetVersion(&version), functions, "the NVIDIA driver does not say its version")
        guard version >= Self.oldestVersion else {
            throw HalcyonError(
                .unavailable,
                "the NVIDIA driver is too old: it is for CUDA \(version / 1000).\(version % 1000 / 10); \(Self.remedy)")
        }
        var count: Int32 = 0
        try Self.check(functions.cuDeviceGetCount(&count), functions, "the NVIDIA driver does not count the GPUs")
        var found: [CUDADevice] = []
        for number in 0..<Int(max(0, count)) { found.append(try CUDADevice(number, functions)) }
        devices = found
    }

    /// - Throws: `invalidArgument` for a number that no GPU has; it says which there are.
    package func device(_ number: Int) throws(HalcyonError) -> CUDADevice {
        guard devices.indices.contains(number) else {
            let present =
                switch devices.count {
                case 0: "this machine has none"
                case 1: "this machine has one, number 0"
                default: "this machine has \(devices.count), numbered 0 to \(devices.count - 1)"
                }
            throw HalcyonError(.invalidArgument, "there is no GPU \(number): \(present)")
        }
        return devices[number]
    }

    func check(_ result: cuda_result_t, _ attempt: @autoclosure () -> String) throws(HalcyonError) {
        try Self.check(result, functions, attempt())
    }

    static func check(
        _ result: cuda_result_t, _ functions: cuda_functions_t, _ attempt: @autoclosure () -> String
    ) throws(HalcyonError) {
        guard result != 0 else { return }
        var name: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        let isKnown = functions.cuGetErrorName(result, &name) == 0 && functions.cuGetErrorString(result, &text) == 0
        let reason =
            if isKnown, let name, let text {
                "\(String(cString: text)) (\(String(cString: name)))"
            } else {
                "CUDA error \(result)"
            }
        throw HalcyonError(result == outOfMemory ? .unavailable : .internal, "\(attempt()): \(reason)")
    }
}

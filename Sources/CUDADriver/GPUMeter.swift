package import CCUDADriver
internal import LibraryFiles
package import Tensors
internal import Threads

/// Reads how busy the GPUs are from NVIDIA's management library, which comes with the driver.
package final class GPUMeter: @unchecked Sendable {
    private let functions: nvml_functions_t
    private let devices: [Device]
    /// By position: millijoules at the first look.
    private let firstEnergy = Locked<[Int: UInt64]>([:])

    private struct Device {
        var handle: OpaquePointer
        var uuid: String
    }

    /// - Throws: `unavailable` without the library or a driver.
    package static func open(names: [String] = ["libnvidia-ml.so.1"]) throws(HalcyonError) -> GPUMeter {
        let library = try DynamicLibrary.open(names) { reason in
            HalcyonError(.unavailable, "there is no NVIDIA management library: \(reason)")
        }
        let functions = try library.functions { (handle, table) throws(HalcyonError) in
            guard let missing = nvml_bind(handle, table) else { return }
            throw HalcyonError(
                .unavailable,
                "the NVIDIA management library ('\(library.name)') is too old: it has no function "
                    + String(cString: missing))
        }
        return try GPUMeter(functions: functions)
    }

    package init(functions: nvml_functions_t) throws(HalcyonError) {
        self.functions = functions
        func check(_ result: Int32) throws(HalcyonError) {
            guard result != 0 else { return }
            let reason = functions.nvmlErrorString(result).map { String(cString: $0) } ?? "error \(result)"
            throw HalcyonError(.unavailable, "the NVIDIA management library does not start: \(reason)")
        }
        try check(functions.nvmlInit_v2())
        var count: UInt32 = 0
        try check(functions.nvmlDeviceGetCount_v2(&count))
        var found: [Device] = []
        for index in 0..<count {
            var handle: OpaquePointer?
            var uuid = [CChar](repeating: 0, count: 96)
            // One that this process may not see is none.
            guard functions.nvmlDeviceGetHandleByIndex_v2(index, &handle) == 0, let handle,
                functions.nvmlDeviceGetUUID(handle, &uuid, UInt32(uuid.count)) == 0
            else { continue }
            found.append(
                Device(
                    handle: handle,
                    uuid: String(decoding: uuid.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
        }
        devices = found
    }

    deinit { _ = functions.nvmlShutdown() }

    /// How all GPUs are now. Each value that one does not tell is `nil`.
    package func sample() -> [GPUUsage] {
        devices.enumerated().map { index, device in
            var usage = GPUUsage(uuid: device.uuid)
            var rates = nvml_utilization_t()
            if functions.nvmlDeviceGetUtilizationRates(device.handle, &rates) == 0 {
                usage.utilization = Double(rates.gpu) / 100
            }
            var memory = nvml_memory_t()
            if functions.nvmlDeviceGetMemoryInfo(device.handle, &memory) == 0 {
                usage.memoryTotalBytes = memory.total
                usage.memoryUsedBytes = memory.used
            }
            var power: UInt32 = 0
            if functions.nvmlDeviceGetPowerUsage(device.handle, &power) == 0 {
                usage.powerUsage = Double(power) / 1000
            }
            if functions.nvmlDeviceGetPowerManagementLimit(device.handle, &power) == 0 {
                usage.powerLimit = Double(power) / 1000
            }
            var energy: UInt64 = 0
            if functions.nvmlDeviceGetTotalEnergyConsumption(device.handle, &energy) == 0 {
                let first = firstEnergy.withLock { known in
                    if known[index] == nil { known[index] = energy }
                    return known[index] ?? energy
                }
                usage.energy = energy > first ? Double(energy - first) / 1000 : 0
            }
            return usage
        }
    }
}

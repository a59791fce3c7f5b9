package import CCUDADriver
package import CFakeCUDA
package import CUDADriver
package import Tensors

/// The driver without a GPU. It is one for the whole process, so that whoever uses it does so alone.
package enum FakeDriver {
    /// One turn at a time for all tests of the process, of whichever suite; nobody blocks a thread for it.
    private actor Turns {
        private var isTaken = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func take() async {
            guard isTaken else {
                isTaken = true
                return
            }
            await withCheckedContinuation { waiting.append($0) }
        }

        func give() {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
    }

    private static let turns = Turns()

    /// A driver that works, with that many GPUs of a gigabyte.
    package static func script(devices: Int32 = 1, _ change: (inout fake_cuda_script_t) -> Void = { _ in })
        -> fake_cuda_script_t
    {
        var script = fake_cuda_script_t()
        script.version = 12_080
        script.device_count = devices
        script.memory_byte_count = 1 << 30
        script.host_byte_count = 1 << 30
        script.compute_major = 8
        script.compute_minor = 6
        script.event_step = 1
        change(&script)
        return script
    }

    /// Calls `body` while nobody else uses the driver.
    ///
    /// - Returns: what is still in use when `body` has returned, beside its result.
    @discardableResult
    package static func run<Result>(
        _ script: fake_cuda_script_t = script(), _ body: () async throws -> Result
    ) async throws -> (result: Result, usage: fake_cuda_usage_t) {
        await turns.take()
        fake_cuda_reset(script)
        do {
            let result = try await body()
            let usage = fake_cuda_usage()
            await turns.give()
            return (result, usage)
        } catch {
            await turns.give()
            throw error
        }
    }

    package static var functions: cuda_functions_t {
        let table = UnsafeMutablePointer<cuda_functions_t>.allocate(capacity: 1)
        defer { table.deallocate() }
        fake_cuda_fill(table)
        return table.pointee
    }

    package static var managementFunctions: nvml_functions_t {
        let table = UnsafeMutablePointer<nvml_functions_t>.allocate(capacity: 1)
        defer { table.deallocate() }
        fake_nvml_fill(table)
        return table.pointee
    }

    package static func open() throws(HalcyonError) -> NVIDIADriver { try NVIDIADriver(functions: functions) }

    /// The GPUs of the fake driver.
    package static func gpus(_ change: (inout GPUs.Options) -> Void = { _ in }) -> GPUs {
        var options = GPUs.Options()
        change(&options)
        return GPUs(options: options) { () throws(HalcyonError) in try open() }
    }
}

extension fake_cuda_usage_t {
    /// Whether nothing at all is in use.
    package var isNothing: Bool {
        contexts == 0 && pushed_contexts == 0 && device_allocations == 0 && host_allocations == 0 && streams == 0
            && events == 0 && opened_handles == 0
    }
}

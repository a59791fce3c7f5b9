private import Glibc
package import Tensors

/// Inputs and outputs in memory that server and client share.
package final class SharedTensors: @unchecked Sendable {
    /// Where a tensor lies.
    struct Place: Hashable {
        var region: String
        var offset: Int
        var byteCount: Int
    }

    /// As servers know it, and as the system does.
    let region: String
    let key: String
    let byteCount: Int
    private let inputs: [[Place]]
    private let outputSizes: [Int]
    private let outputStart: Int
    private let laneSize: Int
    private let lanes: Int

    /// - Parameters:
    ///   - outputSize: bytes for an output whose size does not follow from the model.
    ///   - lanes: requests that may be under way at a time, each with outputs of its own.
    /// - Throws: `unavailable` where the system gives no such memory.
    package init(_ form: RequestForm, outputSize: Int, lanes: Int) throws(HalcyonError) {
        region = "halcyon_bench_\(getpid())"
        key = "/\(region)"
        self.lanes = lanes
        // On its own cache lines.
        func aligned(_ size: Int) -> Int { (size + 63) & ~63 }
        var offset = 0
        var inputs: [[Place]] = []
        for step in form.data.steps {
            var places: [Place] = []
            for tensor in step {
                places.append(Place(region: region, offset: offset, byteCount: tensor.data.byteCount))
                offset += aligned(tensor.data.byteCount)
            }
            inputs.append(places)
        }
        self.inputs = inputs
        var sizes: [Int] = []
        for output in form.model.outputs {
            let shape = form.model.maxBatchSize > 0 ? output.shape.prepending(form.batch) : output.shape
            sizes.append(
                shape.isVariable || output.elementType == .bytes
                    ? outputSize : try shape.byteCount(of: output.elementType))
        }
        outputSizes = sizes
        outputStart = offset
        laneSize = sizes.reduce(0) { $0 + aligned($1) }
        let (all, overflow) = laneSize.multipliedReportingOverflow(by: lanes)
        guard !overflow, all <= 8 << 30 else {
            throw HalcyonError(
                .invalidArgument,
                "the outputs of \(lanes) requests do not fit in shared memory: lower --output-shared-memory-size")
        }
        byteCount = max(64, offset + all)
        try fill(form)
    }

    private func fill(_ form: RequestForm) throws(HalcyonError) {
        let fault = { HalcyonError(.unavailable, "shared memory can't be made: \(String(cString: strerror(errno)))") }
        let descriptor = shm_open(key, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fault() }
        defer { Glibc.close(descriptor) }
        // Space that is not there would be found out by a signal, later.
        guard posix_fallocate(descriptor, 0, byteCount) == 0,
            let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else {
            let fault = fault()
            shm_unlink(key)
            throw fault
        }
        for (places, step) in zip(inputs, form.data.steps) {
            for (place, tensor) in zip(places, step) {
                tensor.data.withUnsafeBytes { bytes in
                    guard let source = bytes.baseAddress else { return }
                    (memory + place.offset).copyMemory(from: source, byteCount: bytes.count)
                }
            }
        }
        munmap(memory, byteCount)
    }

    func input(step: Int, input: Int) -> Place { inputs[step][input] }

    func output(lane: Int, output: Int) -> Place {
        var offset = outputStart + lane % max(1, lanes) * laneSize
        for size in outputSizes[..<output] { offset += (size + 63) & ~63 }
        return Place(region: region, offset: offset, byteCount: outputSizes[output])
    }

    /// Takes the memory's name away; a server that has it keeps it until it lets go.
    func remove() { shm_unlink(key) }
}

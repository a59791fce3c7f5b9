import ModelConfigurations
import Synchronization
import Tensors
import Testing

@testable import ModelRuntime

/// Inputs in a GPU's memory, of models that read them on the processor.
struct DeviceInputTests {
    /// Counts what is copied. Its memory is the processor's.
    private final class Device: DeviceMemory {
        private let copied = Atomic<Int>(0)

        var copiedByteCount: Int { copied.load(ordering: .relaxed) }

        func allocate(byteCount: Int) throws(HalcyonError) -> TensorStorage {
            region([], byteCount: byteCount).storage
        }

        func copy(
            byteCount: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
        ) throws(HalcyonError) {
            copied.wrappingAdd(byteCount, ordering: .relaxed)
            target.copyMemory(from: source, byteCount: byteCount)
        }

        /// A region that holds these bytes and then zeros.
        func region(_ bytes: [UInt8], byteCount: Int) -> TensorBuffer {
            let start = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
            start.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            start.copyMemory(from: bytes, byteCount: bytes.count)
            return TensorBuffer(
                TensorStorage(owning: start, byteCount: byteCount, placement: .gpu(0), device: self) {
                    $0.deallocate()
                })
        }
    }

    private let device = Device()

    private func validate(
        _ type: ElementType, _ shape: TensorShape, _ data: TensorBuffer, sent: ElementType? = nil
    ) -> Result<[Tensor], HalcyonError> {
        Result { () throws(HalcyonError) in
            var configuration = ModelConfiguration(name: "m")
            configuration.inputs = [TensorConfiguration(name: "IN", elementType: type, dimensions: [4])]
            let input = Tensor(unchecked: "IN", elementType: sent ?? type, shape: shape, data: data)
            let request = InferenceRequest(modelName: "m", inputs: [input])
            return try RequestValidator(configuration).validate(request).inputs
        }
    }

    private func message(_ result: Result<[Tensor], HalcyonError>) -> String? {
        guard case .failure(let error) = result else { return nil }
        return error.message
    }

    @Test func `What the shape says is copied, and can be read`() throws {
        let inputs = try validate(.int32, [4], device.region([1, 0, 0, 0], byteCount: 16)).get()
        #expect(try inputs.first?.elements(as: Int32.self) == [1, 0, 0, 0])
        #expect(device.copiedByteCount == 16)
    }

    @Test func `A region that is too large, or of a wrong type or shape, is refused before a byte is copied`() {
        let region = device.region([], byteCount: 1 << 20)
        #expect(
            message(validate(.fp32, [4], region))
                == "input byte size mismatch for input 'IN' for model 'm'. Expected 16, got 1048576")
        #expect(message(validate(.fp32, [1 << 18], region))?.hasPrefix("unexpected shape for input 'IN'") == true)
        #expect(message(validate(.fp32, [4], region, sent: .int32))?.contains("data-type is 'INT32'") == true)
        #expect(message(validate(.bytes, [5], region))?.hasPrefix("unexpected shape for input 'IN'") == true)
        #expect(device.copiedByteCount == 0)
    }

    @Test func `Texts are copied up to a limit, as their shape does not say how long they are`() {
        let limit = RequestValidator.deviceTextLimit
        #expect(
            message(validate(.bytes, [4], device.region([], byteCount: limit + 1)))
                == "input 'IN' for model 'm' has texts in a GPU's memory, which are copied from there: expected at "
                + "most \(limit) bytes, got \(limit + 1)")
        #expect(device.copiedByteCount == 0)
        #expect(message(validate(.bytes, [4], device.region([], byteCount: 16))) == nil)
        #expect(
            message(validate(.bytes, [4], device.region([], byteCount: 12)))
                == "expected 4 string elements for inference input 'IN' for model 'm', got 3")
        #expect(
            message(validate(.bytes, [4], device.region([], byteCount: 20)))
                == "unexpected number of string elements 5 for inference input 'IN' for model 'm', expecting 4")
        #expect(
            message(validate(.bytes, [4], device.region([], byteCount: 18)))?
                .hasPrefix("incomplete string data for inference input 'IN' for model 'm': ") == true)
    }

    // MARK: Gathering

    /// A row of FP32, in memory of the kind.
    private func row(_ value: Float, byteCount: Int, _ placement: MemoryPlacement) throws -> [Tensor] {
        let storage =
            switch placement {
            case .gpu: try device.allocate(byteCount: byteCount)
            case .pinned, .cpu:
                TensorStorage(
                    owning: .allocate(byteCount: byteCount, alignment: 16), byteCount: byteCount, placement: placement
                ) { $0.deallocate() }
            }
        let count = byteCount / 4
        storage.baseAddress.initializeMemory(as: Float.self, repeating: value, count: count)
        return [Tensor(unchecked: "IN", elementType: .fp32, shape: [1, count], data: TensorBuffer(storage))]
    }

    private func gathered(_ requests: [[Tensor]], onDevice: Bool = true) throws -> Tensor {
        let gather = Gather(buffers: BatchBuffers(retained: 0))
        return try #require(try gather.inputs(of: requests, for: onDevice ? device : nil, isForGPU: true).first)
    }

    @Test func `Rows in page-locked memory are gathered by the device that reads the batch`() throws {
        let byteCount = 256 << 10
        let requests = try [1, 2, 3].map { try row($0, byteCount: byteCount, .pinned) }
        let batch = try gathered(requests)
        #expect(batch.data.placement == .gpu(0) && batch.shape == [3, byteCount / 4])
        #expect(device.copiedByteCount == 3 * byteCount)
        let values = try batch.data.onHost().withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(values == [1, 2, 3].flatMap { [Float](repeating: $0, count: byteCount / 4) })
    }

    @Test(arguments: [
        (MemoryPlacement.cpu, 256 << 10), (.pinned, (256 << 10) - 4), (.pinned, 256),
    ])
    func `Rows that the processor has to read, and small ones, are gathered by the processor`(
        _ placement: MemoryPlacement, _ byteCount: Int
    ) throws {
        let batch = try gathered([row(1, byteCount: byteCount, placement), row(2, byteCount: byteCount, placement)])
        #expect(batch.data.placement.isHostAccessible && device.copiedByteCount == 0)
    }

    @Test(arguments: [true, false])
    func `Large rows in ordinary memory are put together for a GPU byte for byte`(_ onDevice: Bool) throws {
        // Longer than a piece, and no multiple of one; no two places of a row hold the same.
        let byteCount = (1 << 20) + 12
        let requests = try [1, 2, 3].map { number in
            let row = try self.row(0, byteCount: byteCount, .cpu)
            let values = row[0].data.baseAddress.assumingMemoryBound(to: Float.self)
            for index in 0..<byteCount / 4 { values[index] = Float(number * 1_000_000 + index) }
            return row
        }
        let batch = try gathered(requests, onDevice: onDevice)
        #expect(batch.data.placement.isHostAccessible && device.copiedByteCount == 0)
        let values = batch.data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(values == [1, 2, 3].flatMap { number in (0..<byteCount / 4).map { Float(number * 1_000_000 + $0) } })
    }

    @Test func `Pieces lie side by side and leave nothing out, whatever the parts' lengths`() throws {
        #expect(SideBySideCopy(byteCounts: [1 << 20, (1 << 20) - 1]) == nil)
        let byteCounts = [3 << 20, 0, 1, (1 << 20) + 1, 12345]
        let pieces = try #require(SideBySideCopy(byteCounts: byteCounts)).pieces
        var (end, offsets) = (0, [Int](repeating: 0, count: byteCounts.count))
        for piece in pieces {
            #expect(piece.target == end && piece.offset == offsets[piece.part])
            #expect((1...1 << 20).contains(piece.byteCount))
            end += piece.byteCount
            offsets[piece.part] += piece.byteCount
        }
        #expect(offsets == byteCounts)
    }

    @Test func `Without a device, and for rows of several kinds, the processor's memory is taken`() throws {
        let large = 256 << 10
        let pinned = try row(1, byteCount: large, .pinned)
        #expect(try gathered([pinned, pinned], onDevice: false).data.placement.isHostAccessible)
        let mixed = try gathered([pinned, row(2, byteCount: large, .gpu(0))])
        #expect(mixed.data.placement.isHostAccessible)
        #expect(device.copiedByteCount == large, "what is on the device is copied from there")
    }
}

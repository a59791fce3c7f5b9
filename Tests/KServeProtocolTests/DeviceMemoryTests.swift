import CFakeCUDA
import CUDADriver
import CUDATestKit
import KServeProtocol
import Tensors
import Testing

@Suite("Shared memory of GPUs")
struct DeviceMemoryTests {
    private func handle(_ exported: cuda_memory_handle_t) -> [UInt8] { withUnsafeBytes(of: exported) { Array($0) } }

    private func reference(_ offset: Int, _ byteCount: Int, _ name: String = "r") -> RegionReference {
        RegionReference(name: name, offset: offset, byteCount: byteCount)
    }

    @Test("A region is another process's memory, read and written in place, and closed with the last use")
    func bytes() async throws {
        let (_, usage) = try await FakeDriver.run {
            let memory = SharedMemory(isAllowed: true, gpus: FakeDriver.gpus())
            let exported = fake_cuda_export(0, 256)
            let theirs = fake_cuda_exported(exported)
            try memory.register(.init(name: "r", device: 0, byteCount: 256), handle: handle(exported))
            #expect(try memory.deviceStatus() == [.init(name: "r", device: 0, byteCount: 256)])
            #expect(try memory.status().isEmpty)
            theirs.storeBytes(of: 42, toByteOffset: 8, as: Int32.self)
            let input = try memory.buffer(reference(8, 4))
            #expect(input.placement == .gpu(0))
            try memory.write(try Tensor(name: "O", shape: [2], [7, 8] as [Int32]), to: reference(248, 8))
            #expect(theirs.load(fromByteOffset: 252, as: Int32.self) == 8)
            // What is in use stays open.
            try memory.unregisterDevice("r")
            #expect(throws: HalcyonError.self) { try memory.buffer(reference(0, 1)) }
            #expect(fake_cuda_usage().opened_handles == 1)
            var tensor = try Tensor(name: "I", elementType: .int32, shape: [1], data: input)
            tensor.data = try FakeDriver.gpus().place(input, in: .cpu)
            #expect(try tensor.elements(as: Int32.self) == [42])
        }
        #expect(usage.isNothing)
    }

    @Test("Parts outside a region, wrong handles and sizes, and names in use are refused")
    func refused() async throws {
        let (_, usage) = try await FakeDriver.run {
            let memory = SharedMemory(isAllowed: true, gpus: FakeDriver.gpus())
            let exported = handle(fake_cuda_export(0, 64))
            func message(_ body: () throws(HalcyonError) -> Void) -> String {
                do throws(HalcyonError) {
                    try body()
                    return ""
                } catch { return error.message }
            }
            let prefix = "failed to register CUDA shared memory region 'r': "
            func register(_ byteCount: Int, device: Int = 0, _ bytes: [UInt8]) throws(HalcyonError) {
                try memory.register(.init(name: "r", device: device, byteCount: byteCount), handle: bytes)
            }
            #expect(message { () throws(HalcyonError) in try register(0, exported) } == prefix + "invalid args")
            #expect(
                message { () throws(HalcyonError) in try register(65, exported) }
                    == prefix + "the allocation has 64 bytes, and 65 were named")
            #expect(
                message { () throws(HalcyonError) in try register(64, device: 1, exported) }
                    == prefix + "there is no GPU 1: this machine has one, number 0")
            #expect(
                message { () throws(HalcyonError) in try register(64, [1]) }
                    == prefix + "a handle of CUDA memory has 64 bytes, got 1")
            try register(32, exported)
            #expect(
                message { () throws(HalcyonError) in try register(32, exported) }
                    == "shared memory region 'r' already in manager")
            // The region's bytes, not the allocation's, are its bounds.
            #expect(
                message { () throws(HalcyonError) in _ = try memory.buffer(reference(0, 33)) }
                    == "Invalid offset + byte size for shared memory region: 'r'")
            #expect(
                message { () throws(HalcyonError) in _ = try memory.buffer(reference(33, 0)) }
                    == "Invalid offset for shared memory region: 'r'")
            #expect(
                message { () throws(HalcyonError) in
                    try memory.write(
                        try Tensor(name: "O", shape: [9], [Int32](repeating: 0, count: 9)), to: reference(0, 32))
                }.hasSuffix("should be at least 36 bytes to hold the results"))
            #expect(
                message { () throws(HalcyonError) in _ = try memory.deviceStatus("s") }
                    == "Unable to find cuda shared memory region: 's'")
            // One kind's name is not the other's to forget.
            try memory.unregister("")
            #expect(try memory.deviceStatus("r").count == 1)
            try memory.unregisterDevice("")
            #expect(try memory.deviceStatus().isEmpty)
        }
        #expect(usage.isNothing)
    }

    @Test("Without a driver, and without the operator's leave, it is refused with the reason")
    func absent() throws {
        let gpus = GPUs { () throws(HalcyonError) in throw HalcyonError(.unavailable, "there is no driver") }
        let region = SharedMemory.DeviceStatus(name: "r", device: 0, byteCount: 1)
        #expect(
            throws: HalcyonError(
                .unavailable, "failed to register CUDA shared memory region 'r': there is no driver")
        ) { try SharedMemory(isAllowed: true, gpus: gpus).register(region, handle: []) }
        #expect(
            throws: HalcyonError(
                .unsupported,
                "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.")
        ) { try SharedMemory(isAllowed: false, gpus: gpus).register(region, handle: []) }
    }
}

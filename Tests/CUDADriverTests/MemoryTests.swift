import CFakeCUDA
import CUDATestKit
import Foundation
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import CUDADriver

struct MemoryTests {
    private let megabyte = 1 << 20

    @Test func `Memory that comes back is used again`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            var addresses: Set<UnsafeMutableRawPointer> = []
            for _ in 0..<100 {
                addresses.insert(try gpus.storage(byteCount: 3000, in: .gpu(0)).baseAddress)
                let pinned = try gpus.storage(byteCount: 3000, in: .pinned)
                #expect(pinned.placement == .pinned)
                addresses.insert(pinned.baseAddress)
            }
            #expect(addresses.count == 2)
            #expect(fake_cuda_usage().device_allocations == 1)
            #expect(fake_cuda_usage().host_allocations == 1)
            #expect(gpus.pinnedUsage == .init(limit: 256 << 20, reserved: 32 << 20, used: 0))
        }
        #expect(usage.isNothing)
    }

    @Test func `A full pool of page-locked memory leaves ordinary memory`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus { $0.pinnedPoolByteSize = 4096 }
            let first = gpus.hostStorage(byteCount: 4096)
            let second = gpus.hostStorage(byteCount: 1)
            #expect([first, second].map(\.placement) == [.pinned, .cpu])
            #expect(gpus.pinnedUsage.used == 4096)
            #expect(FakeDriver.gpus { $0.pinnedPoolByteSize = 0 }.hostStorage(byteCount: 1).placement == .cpu)
        }
        #expect(usage.isNothing)
    }

    @Test func `A full pool of a GPU leaves the GPU's own memory`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus { $0.poolByteSizes = [0: megabyte] }
            let gpu = try gpus.gpu(0)
            var held = [try gpu.allocate(byteCount: megabyte), try gpu.allocate(byteCount: megabyte)]
            #expect(gpu.pool.usage == .init(limit: megabyte, reserved: megabyte, used: megabyte))
            #expect(fake_cuda_usage().device_bytes == 2 * megabyte)
            held.removeLast()
            #expect(fake_cuda_usage().device_bytes == megabyte)
        }
        #expect(usage.isNothing)
    }

    @Test func `Where the GPU is full the pool shrinks, and where that does not help it is an error; life goes on`()
        async throws
    {
        let script = FakeDriver.script { $0.memory_byte_count = 4 * megabyte }
        let (_, usage) = try await FakeDriver.run(script) {
            let gpus = FakeDriver.gpus { $0.poolByteSizes = [0: 3 * megabyte] }
            let gpu = try gpus.gpu(0)
            do { _ = try gpu.allocate(byteCount: 3 * megabyte) }
            #expect(gpu.pool.usage.reserved == 3 * megabyte)
            // More than the pool may have, and more than is left beside it.
            let large = try gpu.allocate(byteCount: 4 * megabyte)
            #expect(gpu.pool.usage.reserved == 0)
            let full = HalcyonError(
                .unavailable,
                "GPU 0 (Fake GPU 0) is out of memory: 1000 bytes were asked for, and 0 of \(4 * megabyte) are free")
            #expect(throws: full) { try gpu.allocate(byteCount: 1000) }
            withExtendedLifetime(large) {}
        }
        #expect(usage.isNothing)
        try await FakeDriver.run(script) {
            let gpu = try FakeDriver.gpus { $0.poolByteSizes = [0: megabyte] }.gpu(0)
            do { _ = try? gpu.allocate(byteCount: 5 * megabyte) }
            #expect(try gpu.allocate(byteCount: 1000).byteCount == 1000)
        }
    }

    @Test func `Bytes go where they are wanted and come back`() async throws {
        let (_, usage) = try await FakeDriver.run(FakeDriver.script(devices: 2)) {
            let gpus = FakeDriver.gpus()
            var buffer = TensorBuffer(copying: [Int32(7), 8, 9])
            for placement in [MemoryPlacement.pinned, .gpu(0), .gpu(1), .pinned, .gpu(1), .cpu] {
                buffer = try gpus.place(buffer, in: placement)
                #expect(buffer.placement == placement && buffer.byteCount == 12)
            }
            #expect(buffer.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) } == [7, 8, 9])
            #expect(try gpus.place(buffer, in: .cpu).baseAddress == buffer.baseAddress)
        }
        #expect(usage.isNothing)
    }

    @Test func `A GPU's memory that nobody can copy is refused`() {
        let storage = TensorStorage(
            owning: UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4), byteCount: 4,
            placement: .gpu(3)
        ) { $0.deallocate() }
        #expect(throws: HalcyonError.self) { try TensorBuffer(storage).onHost() }
    }

    @Test func `Threads that take and give at once get memory of their own`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus {
                $0.pinnedPoolByteSize = 64 << 10
                $0.defaultPoolByteSize = 64 << 10
            }
            DispatchQueue.concurrentPerform(iterations: 4) { thread in
                for round in 0..<200 {
                    let size = 1 + (round * 37 + thread * 101) % 9000
                    let host = gpus.hostStorage(byteCount: size)
                    memset(host.baseAddress, Int32(thread), size)
                    let device = try? gpus.place(TensorBuffer(host), in: .gpu(0))
                    let back = try? device?.onHost()
                    let isOwn = back?.withUnsafeBytes { $0.allSatisfy { $0 == UInt8(thread) } } ?? false
                    if !isOwn { Issue.record("thread \(thread) read another's bytes") }
                }
            }
            #expect(gpus.pinnedUsage.used == 0)
        }
        #expect(usage.isNothing)
    }

    @Test func `A copy does not wait for another thread's, and streams are used again`() async throws {
        let (_, usage) = try await FakeDriver.run(FakeDriver.script { $0.waiting_together = 2 }) {
            let gpu = try FakeDriver.gpus().gpu(0)
            let device = try gpu.allocate(byteCount: 8)
            let host = TensorBuffer(copying: [Int32(7), 8])
            for _ in 0..<3 {
                let failures = Locked<[HalcyonError]>([])
                @Sendable func copy(_ index: Int) {
                    do throws(HalcyonError) {
                        try gpu.copy(
                            byteCount: 4, from: host.baseAddress + 4 * index, to: device.baseAddress + 4 * index)
                    } catch { failures.withLock { [error] in $0.append(error) } }
                }
                let other = try WorkerThread(name: "copy") { copy(0) }
                copy(1)
                other.join()
                #expect(failures.withLock { $0 } == [])
            }
            #expect((1...2).contains(fake_cuda_usage().streams))
            fake_cuda_change(FakeDriver.script())
            #expect(
                try TensorBuffer(device).onHost().withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) } == [7, 8])
        }
        #expect(usage.isNothing)
    }

    // MARK: Memory of other processes

    @Test func `A handle opens another process's memory until nobody needs it`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let handle = fake_cuda_export(0, 64)
            let bytes = withUnsafeBytes(of: handle) { Array($0) }
            fake_cuda_exported(handle).storeBytes(of: 42, as: Int32.self)
            let gpu = try FakeDriver.gpus().gpu(0)
            do {
                let buffer = try TensorBuffer(gpu.open(bytes, byteCount: 64)).slice(offset: 0, byteCount: 4)
                #expect(fake_cuda_usage().opened_handles == 1)
                #expect(try buffer.onHost().withUnsafeBytes { $0.load(as: Int32.self) } == 42)
            }
            #expect(throws: HalcyonError(.invalidArgument, "the allocation has 64 bytes, and 65 were named")) {
                try gpu.open(bytes, byteCount: 65)
            }
            #expect(throws: HalcyonError(.invalidArgument, "a handle of CUDA memory has 64 bytes, got 3")) {
                try gpu.open([1, 2, 3], byteCount: 1)
            }
            #expect(
                throws: HalcyonError(.invalidArgument, "GPU 0 can't open the handle: failed (CUDA_ERROR)")
            ) { try gpu.open([UInt8](repeating: 0, count: 64), byteCount: 1) }
        }
        #expect(usage.isNothing)
    }

    // MARK: The meter

    @Test func `The management library says how busy each GPU is`() async throws {
        try await FakeDriver.run(FakeDriver.script(devices: 2)) {
            let meter = try GPUMeter(functions: FakeDriver.managementFunctions)
            let first = meter.sample()
            #expect(first.map(\.uuid) == ["GPU-0", "GPU-1"])
            #expect(first.map(\.utilization) == [0.25, 0.5])
            #expect(first.map(\.powerUsage) == [70.5, 71.5])
            #expect(first.first?.powerLimit == 300)
            #expect(first.first?.memoryTotalBytes == 1 << 30)
            #expect(first.map(\.energy) == [0, 0])
            // Two looks later, at a thousand millijoules each.
            #expect(meter.sample().map(\.energy) == [2, 2])
        }
    }

    @Test func `What a GPU does not tell is left out`() async throws {
        try await FakeDriver.run(FakeDriver.script { $0.management_is_silent = 1 }) {
            let meter = try GPUMeter(functions: FakeDriver.managementFunctions)
            #expect(meter.sample() == [GPUUsage(uuid: "GPU-0")])
        }
        do {
            try await FakeDriver.run(FakeDriver.script(devices: 0)) {
                _ = try GPUMeter(functions: FakeDriver.managementFunctions)
            }
        } catch let error as HalcyonError {
            #expect(error.message == "the NVIDIA management library does not start: Driver Not Loaded")
        }
    }
}

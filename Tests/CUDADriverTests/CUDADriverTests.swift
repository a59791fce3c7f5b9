import CFakeCUDA
import CUDATestKit
import Foundation
import Tensors
import Testing

@testable import CUDADriver

struct CUDADriverTests {
    private func error(_ script: fake_cuda_script_t, _ body: () throws -> some Any) async -> HalcyonError? {
        do {
            try await FakeDriver.run(script) { _ = try body() }
            return nil
        } catch {
            return error as? HalcyonError
        }
    }

    @Test func `Without a driver it says so, with the loader's reason`() async throws {
        let missing = try #require(
            await error(FakeDriver.script()) { try NVIDIADriver.open(names: ["libcuda-of-no-machine.so.1"]) })
        #expect(missing.code == .unavailable)
        #expect(missing.message.hasPrefix("there is no NVIDIA driver on this machine: libcuda-of-no-machine.so.1: "))
        let management = try #require(
            await error(FakeDriver.script()) { try GPUMeter.open(names: ["libnvidia-none.so"]) })
        #expect(management.message.hasPrefix("there is no NVIDIA management library: libnvidia-none.so: "))
    }

    @Test func `A library that lacks a function is too old, and the function is named`() async throws {
        let old = try #require(await error(FakeDriver.script()) { try NVIDIADriver.open(names: ["libm.so.6"]) })
        #expect(old.code == .unavailable)
        #expect(
            old.message
                == "the NVIDIA driver ('libm.so.6') is too old: it has no function cuInit; Halcyon needs a driver "
                + "for CUDA 11.0 or newer (450.80 and later)")
        let management = try #require(await error(FakeDriver.script()) { try GPUMeter.open(names: ["libm.so.6"]) })
        #expect(management.message.hasSuffix("is too old: it has no function nvmlInit_v2"))
    }

    @Test func `A driver for an old CUDA is refused with its version`() async throws {
        let old = await error(FakeDriver.script { $0.version = 10_020 }) { try FakeDriver.open() }
        #expect(
            old?.message
                == "the NVIDIA driver is too old: it is for CUDA 10.2; Halcyon needs a driver for CUDA 11.0 or newer "
                + "(450.80 and later)")
    }

    @Test func `A driver that does not start says why; without a device it starts`() async throws {
        let broken = try #require(await error(FakeDriver.script { $0.init_result = 999 }) { try FakeDriver.open() })
        #expect(broken.message == "the NVIDIA driver does not start: failed (CUDA_ERROR)")
        try await FakeDriver.run(FakeDriver.script { $0.init_result = 100 }) {
            let driver = try FakeDriver.open()
            #expect(driver.devices.isEmpty)
            #expect(throws: HalcyonError(.invalidArgument, "there is no GPU 0: this machine has none")) {
                try driver.device(0)
            }
        }
    }

    @Test func `Devices are described`() async throws {
        try await FakeDriver.run(FakeDriver.script(devices: 2)) {
            let driver = try FakeDriver.open()
            #expect(driver.devices.map(\.name) == ["Fake GPU 0", "Fake GPU 1"])
            #expect(driver.devices.map(\.uuid).last == "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f")
            #expect(driver.devices.first?.totalBytes == 1 << 30)
            #expect(driver.devices.first?.computeCapability == 8.6)
        }
    }

    @Test(arguments: [(1, "one, number 0"), (4, "4, numbered 0 to 3")])
    func `A number that no GPU has is refused with those there are`(count: Int32, present: String) async throws {
        try await FakeDriver.run(FakeDriver.script(devices: count)) {
            let gpus = FakeDriver.gpus()
            for number in [7, -1] {
                #expect(
                    throws: HalcyonError(.invalidArgument, "there is no GPU \(number): this machine has \(present)")
                ) { try gpus.gpu(number) }
            }
        }
    }

    @Test func `GPUs below the minimum are left out`() async throws {
        try await FakeDriver.run {
            #expect(FakeDriver.gpus { $0.minimumComputeCapability = 8.6 }.devices.map(\.number) == [0])
            #expect(FakeDriver.gpus { $0.minimumComputeCapability = 9 }.devices.isEmpty)
        }
    }

    @Test func `The driver is opened once, when first needed`() throws {
        final class Count: @unchecked Sendable { var value = 0 }
        let count = Count()
        let gpus = GPUs { () throws(HalcyonError) in
            count.value += 1
            throw HalcyonError(.unavailable, "none")
        }
        #expect(count.value == 0)
        #expect(gpus.devices.isEmpty && gpus.devices.isEmpty)
        #expect(count.value == 1)
        #expect(try gpus.storage(byteCount: 8, in: .pinned).placement == .cpu)
        #expect(throws: HalcyonError(.unavailable, "none")) { try gpus.storage(byteCount: 8, in: .gpu(0)) }
    }

    @Test func `Streams copy, events measure, and all is given back`() async throws {
        let (_, usage) = try await FakeDriver.run(FakeDriver.script { $0.event_step = 2.5 }) {
            let gpu = try FakeDriver.gpus().gpu(0)
            let stream = try CUDAStream(gpu.context)
            let events = try (0..<2).map { _ in try CUDAEvent(gpu.context) }
            let source = TensorBuffer(copying: [Float(1), 2, 3])
            let target = try gpu.allocate(byteCount: 12)
            #expect(target.placement == .gpu(0))
            try stream.record(events[0])
            try stream.copy(byteCount: 12, from: source.baseAddress, to: target.baseAddress)
            try stream.record(events[1])
            try stream.synchronize()
            #expect(try events[1].nanoseconds(since: events[0]) == 2_500_000)
            let back = try TensorBuffer(target).onHost()
            #expect(back.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } == [1, 2, 3])
        }
        #expect(usage.isNothing)
    }

    @Test func `A failed copy is an error that names the GPU`() async throws {
        try await FakeDriver.run {
            let gpu = try FakeDriver.gpus().gpu(0)
            let target = TensorBuffer(try gpu.allocate(byteCount: 16))
            fake_cuda_change(FakeDriver.script { $0.copy_result = 700 })
            #expect(throws: HalcyonError(.internal, "copying 16 bytes with GPU 0 failed: failed (CUDA_ERROR)")) {
                try target.onHost()
            }
        }
    }
}

import Testing

@testable import TritonInterface

@Suite("What Python models of a killed server leave")
struct SharedMemoryLeftoversTests {
    @Test("only regions are removed whose process is gone, or has another's number by now")
    func regions() {
        let startTime = { (process: Int32) -> UInt64? in process == 10 ? 500 : nil }
        for (name, isLeft) in [
            ("halcyon_python_10_500_abc", false), ("halcyon_python_10_499_abc", true),
            ("halcyon_python_11_500_abc", true), ("halcyon_python_x_500_abc", false), ("halcyon_python_11", false),
            ("triton_python_backend_shm_region_1", false), ("halcyon_python_11_500_", false),
        ] { #expect(SharedMemoryLeftovers.isLeft(name, startTime: startTime) == isLeft, "\(name)") }
    }

    @Test("this process's own are not left") func own() {
        #expect(SharedMemoryLeftovers.ownPrefix.hasPrefix("halcyon_python_"))
        #expect(SharedMemoryLeftovers.remove().allSatisfy { !$0.hasPrefix(SharedMemoryLeftovers.ownPrefix) })
    }
}

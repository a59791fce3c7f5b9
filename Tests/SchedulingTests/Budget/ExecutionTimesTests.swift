import Testing

@testable import Scheduling

@Suite("Learned execution times")
struct ExecutionTimesTests {
    @Test("Nothing is known before the first execution")
    func empty() {
        let times = ExecutionTimes()
        #expect(times.mean(size: 1) == nil)
        #expect(times.bound(size: 1) == nil)
    }

    @Test("Sizes between two that are known lie on the line through them, larger ones too")
    func interpolation() {
        var times = ExecutionTimes()
        times.note(size: 2, duration: 20)
        #expect(times.mean(size: 1) == 20)
        #expect(times.mean(size: 4) == 40)
        times.note(size: 6, duration: 28)
        #expect(times.mean(size: 4) == 24)
        #expect(times.mean(size: 8) == 32)
        #expect(times.sizes == [2, 6])
    }

    @Test("The mean follows what changes, and the bound what varies")
    func learning() throws {
        var times = ExecutionTimes()
        for _ in 0..<100 { times.note(size: 4, duration: 1000) }
        #expect(times.bound(size: 4) == 1000)
        for index in 0..<200 { times.note(size: 4, duration: index % 2 == 0 ? 1900 : 2100) }
        let mean = try #require(times.mean(size: 4))
        #expect(abs(mean - 2000) < 60)
        #expect(try #require(times.bound(size: 4)) > 2200)
    }

    @Test("However many sizes there are, memory is bounded")
    func bounded() {
        var times = ExecutionTimes()
        for size in 1...10_000 { times.note(size: size, duration: UInt64(size)) }
        #expect(times.sizes.count <= 256)
        times.note(size: 0, duration: .max)
        #expect(times.bound(size: .max) != nil)
    }
}

import ModelRuntime
import Testing
import Threads

@Suite("Work pool")
struct WorkPoolTests {
    @Test("Short work does not wait for long work")
    func shortWorkGoesOn() async {
        let pool = WorkPool(longCount: 1)
        let release = Signal()
        let isReleased = Locked(false)
        let (longEnds, longEnd) = AsyncStream.makeStream(of: Void.self)
        pool.run(100 << 20) {
            _ = release.wait(until: nil, clock: SystemClock()) { isReleased.withLock { $0 } }
            longEnd.finish()
        }
        for _ in 0..<10 {
            await withCheckedContinuation { continuation in pool.run(1) { continuation.resume() } }
        }
        isReleased.withLock { $0 = true }
        release.notify()
        for await _ in longEnds {}
    }

    @Test("Without threads the caller does it")
    func withoutThreads() {
        let isDone = Locked(false)
        WorkPool(longCount: 0).run(1) { isDone.withLock { $0 = true } }
        #expect(isDone.withLock { $0 })
    }
}

@Suite("Memory limit")
struct MemoryLimitTests {
    /// In MiB.
    @Test(
        "A quarter of the memory, up to a half of little",
        arguments: [(65_536, 16_384), (2048, 512), (1024, 256), (256, 128)] as [(Int, Int)])
    func share(memory: Int, inflight: Int) {
        #expect(MemoryLimit.inflightBytes(of: memory << 20) == inflight << 20)
    }

    @Test("This machine has some") func detected() { #expect(MemoryLimit.detected() > 0) }

    @Test("Heaps are trimmed once much has been freed, and not before")
    func trimming() async {
        let (trims, trim) = AsyncStream.makeStream(of: Void.self)
        let trimmer = HeapTrimmer(delay: 0) { trim.yield() }
        trimmer.noteFreed(HeapTrimmer.worthwhile - 1)
        trimmer.noteFreed(1)
        var iterator = trims.makeAsyncIterator()
        let first: Void? = await iterator.next()
        trim.finish()
        let second: Void? = await iterator.next()
        #expect(first != nil && second == nil)
    }
}

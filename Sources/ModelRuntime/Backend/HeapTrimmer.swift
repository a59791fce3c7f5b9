private import CPlatform
private import Dispatch
internal import Synchronization

/// Gives the system memory back that the allocator keeps: its heaps stay as large as the largest burst of requests was.
/// A while after much has been freed, and not sooner, so that nothing is done while requests come one after the other.
package final class HeapTrimmer: Sendable {
    /// Bytes that must have been freed before it is worth the walk.
    package static let worthwhile = 32 << 20

    private let freed = Atomic<Int>(0)
    private let isScheduled = Atomic<Bool>(false)
    private let delay: Int
    private let trim: @Sendable () -> Void
    private let queue = DispatchQueue(label: "halcyon.trim", qos: .background)

    /// - Parameters:
    ///   - delay: milliseconds between the freeing and the trimming.
    ///   - trim: what gives memory back; blocks.
    package init(delay: Int = 2000, trim: @escaping @Sendable () -> Void = { halcyon_trim_heaps() }) {
        self.delay = delay
        self.trim = trim
    }

    /// At most so many heaps for all threads, from now on: each keeps what was free in it to itself.
    package static func limitHeaps(_ count: Int) { halcyon_limit_heaps(Int32(clamping: count)) }

    /// Bytes are free again.
    package func noteFreed(_ count: Int) {
        guard freed.wrappingAdd(count, ordering: .relaxed).newValue >= Self.worthwhile,
            !isScheduled.exchange(true, ordering: .relaxed)
        else { return }
        schedule()
    }

    private func schedule() {
        let before = freed.load(ordering: .relaxed)
        queue.asyncAfter(deadline: .now() + .milliseconds(delay)) { [self] in
            // Where more has been freed meanwhile, requests still come, and what they need is not given back.
            guard freed.load(ordering: .relaxed) == before else { return schedule() }
            freed.store(0, ordering: .relaxed)
            isScheduled.store(false, ordering: .relaxed)
            trim()
        }
    }
}

import Glibc
import Synchronization

/// Notices when two threads are inside at once.
final class Exclusive: Sendable {
    private let count = Atomic<Int>(0)
    private let shared = Atomic<Bool>(false)

    var wasShared: Bool { shared.load(ordering: .relaxed) }

    func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        if count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue != 1 {
            shared.store(true, ordering: .relaxed)
        }
        defer { count.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
        return try body()
    }
}

/// Which thread this runs on.
func currentThread() -> UInt { UInt(pthread_self()) }

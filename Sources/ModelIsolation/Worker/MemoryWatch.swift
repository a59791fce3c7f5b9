private import CPlatform
private import Glibc

/// What a worker does about memory that it can't get: an engine whose allocations fail is no use to anybody, and may be
/// left in any state. So the process ends, and the next one begins afresh.
package struct MemoryWatch: Sendable {
    /// The exit status of a worker that got no memory.
    package static let exitStatus: Int32 = 112
    /// What every worker can get that has not come to a limit.
    static let least = 1 << 20
    /// The same where an allocation is what failed. What failed may have been far more than anybody has.
    static let leastAfterFailure = 64 << 20

    /// Whether so many bytes can't be had.
    private let isLacking: @Sendable (Int) -> Bool
    /// Ends the process, in the tests' workers only its channels.
    private let end: @Sendable () -> Void

    package init(isLacking: @escaping @Sendable (Int) -> Bool, end: @escaping @Sendable () -> Void) {
        self.isLacking = isLacking
        self.end = end
    }

    /// For a worker that is a thread of another process.
    package static let none = MemoryWatch(isLacking: { _ in false }, end: {})

    /// For a worker that is a process.
    static let process = MemoryWatch(
        isLacking: { halcyon_memory_is_lacking($0) }, end: { _exit(Self.exitStatus) })

    /// Something has failed.
    ///
    /// - Returns: whether it failed for want of memory, and the worker is at its end.
    func ends(after error: any Error) -> Bool {
        guard isLacking(Self.isOfMemory("\(error)") ? Self.leastAfterFailure : Self.least) else { return false }
        end()
        return true
    }

    /// What engines, C++ and the system say of an allocation that failed.
    private static let words = [
        "bad_alloc", "bad allocation", "cannot allocate", "failed to allocate", "could not allocate", "out of memory",
        "not enough memory", "no shared memory",
    ]

    private static func isOfMemory(_ text: String) -> Bool {
        let text = text.lowercased()
        return words.contains { text.contains($0) }
    }
}

internal import CPlatform
internal import Glibc
internal import Synchronization

/// Whether somebody has pressed Ctrl-C. Pressing it again ends the process.
final class InterruptFlag: Sendable {
    private let descriptor: Int32
    private let isSet = Atomic<Bool>(false)

    init() { descriptor = halcyon_catch_interrupts() }

    func check() -> Bool {
        if isSet.load(ordering: .relaxed) { return true }
        guard descriptor >= 0 else { return false }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 0) > 0 else { return false }
        isSet.store(true, ordering: .relaxed)
        for each in [SIGINT, SIGTERM] { signal(each, SIG_DFL) }
        return true
    }
}

private import CPlatform
private import Glibc
package import Tensors

/// Whether somebody wants the conversion to stop, as a file that becomes readable then.
package struct Interrupts: Sendable {
    /// -1 for nobody.
    package var descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    package static let none = Interrupts(descriptor: -1)

    /// SIGINT, SIGTERM and SIGHUP of this process, which from now on do nothing else.
    ///
    /// - Throws: `unavailable` where the system gives no pipe.
    package static func ofThisProcess() throws(HalcyonError) -> Interrupts {
        let descriptor = halcyon_catch_interrupts()
        guard descriptor >= 0 else {
            throw HalcyonError(.unavailable, "signals can't be caught: \(String(cString: strerror(errno)))")
        }
        return Interrupts(descriptor: descriptor)
    }

    static let error = HalcyonError(.cancelled, "interrupted; nothing was written")

    /// - Throws: `cancelled` after an interrupt.
    func check() throws(HalcyonError) {
        guard descriptor >= 0 else { return }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, 0) > 0 { throw Self.error }
    }
}

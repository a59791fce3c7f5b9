private import CPlatform
private import Glibc
package import Tensors
internal import Threads

/// One end of a socket between a server and a worker: whole frames, and the descriptors that come with them.
///
/// One thread at a time reads; any may write. The socket is closed with the last reference.
package final class FrameChannel: Sendable {
    /// Why nothing more comes.
    package enum End: Error, Sendable {
        /// The other side is gone.
        case closed
        /// It says what is not allowed.
        case fault(ProtocolFault)
        /// It said nothing in time.
        case late
    }

    private struct Reading {
        var splitter: FrameSplitter
        var descriptors: [Int32] = []
        var spin = SpinPolicy()
    }

    /// Descriptors that wait for their message at most.
    private static let mostDescriptors = 128
    /// Bytes that are read while the length of what comes is not known.
    private static let head = 4096

    package let descriptor: Int32
    /// Whether what is waited for may come so soon that it does not pay to sleep.
    private let spins: Bool
    private let reading: Locked<Reading>
    private let writing = Locked(())

    package init(_ descriptor: Int32, longestMessage: Int = FrameSplitter.longest, spins: Bool = false) {
        self.descriptor = descriptor
        self.spins = spins
        reading = Locked(Reading(splitter: FrameSplitter(limit: longestMessage)))
    }

    /// Both ends of a new connection.
    package static func pair(spins: Bool = false) throws(HalcyonError) -> (FrameChannel, other: Int32) {
        var ends: [Int32] = [-1, -1]
        let failure = halcyon_socket_pair(&ends)
        guard failure == 0 else {
            throw HalcyonError(.unavailable, "no socket can be made: \(String(cString: strerror(failure)))")
        }
        return (FrameChannel(ends[0], spins: spins), ends[1])
    }

    deinit {
        reading.withLock { for descriptor in $0.descriptors { close(descriptor) } }
        close(descriptor)
    }

    /// Ends the connection for whoever reads or writes.
    package func shut() { halcyon_shut(descriptor) }

    /// - Throws: ``End/closed`` where nobody reads any more.
    package func send(_ frame: [UInt8], _ descriptors: [Int32] = []) throws(End) {
        let failure = writing.withLock { _ in
            halcyon_send_all(descriptor, frame, frame.count, descriptors, descriptors.count)
        }
        guard failure == 0 else { throw .closed }
    }

    /// The next frame's body.
    ///
    /// - Parameters:
    ///   - deadline: nanoseconds of the system's clock; `nil` for as long as it takes.
    package func receive(until deadline: UInt64? = nil) throws(End) -> TensorBuffer {
        try reading.withLock { (reading) throws(End) in
            while true {
                do throws(ProtocolFault) {
                    if let body = try reading.splitter.next() { return body }
                } catch {
                    throw .fault(error)
                }
                let looks = spins && reading.splitter.isBetweenFrames && reading.spin.begins()
                let start = looks ? halcyon_monotonic_now() : 0
                let isThere = looks && halcyon_look_readable(descriptor, SpinPolicy.duration) == 1
                if !isThere, let deadline { try wait(until: deadline) }
                try read(&reading)
                if looks { reading.spin.ended(found: isThere, waited: halcyon_monotonic_now() &- start) }
            }
        }
    }

    private func wait(until deadline: UInt64) throws(End) {
        while true {
            let now = halcyon_monotonic_now()
            guard now < deadline else { throw .late }
            let milliseconds = Int32(clamping: (deadline - now) / 1_000_000 + 1)
            if halcyon_wait_readable(descriptor, milliseconds) != 0 { return }
        }
    }

    private func read(_ reading: inout Reading) throws(End) {
        var descriptors = [Int32](repeating: -1, count: 16)
        var count = descriptors.count
        let received: Int
        if let room = reading.splitter.room() {
            received = halcyon_receive(descriptor, room.baseAddress, room.count, &descriptors, &count)
            if received > 0 { reading.splitter.filled(received) }
        } else {
            received = withUnsafeTemporaryAllocation(byteCount: Self.head, alignment: 16) { bytes in
                let received = halcyon_receive(descriptor, bytes.baseAddress, bytes.count, &descriptors, &count)
                if received > 0 {
                    reading.splitter.take(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<received]))
                }
                return received
            }
        }
        reading.descriptors += descriptors.prefix(count)
        if received == -Int(EMSGSIZE) || reading.descriptors.count > Self.mostDescriptors {
            throw .fault(ProtocolFault("more descriptors than are allowed"))
        }
        guard received > 0 else { throw .closed }
    }

    /// The descriptors of the frame that was received last, which are the caller's to close.
    package func takeDescriptors(_ count: Int) throws(End) -> [Int32] {
        guard count > 0 else { return [] }
        return try reading.withLock { (reading) throws(End) in
            guard reading.descriptors.count >= count else {
                throw .fault(
                    ProtocolFault("\(count) descriptors should have come, and \(reading.descriptors.count) did"))
            }
            defer { reading.descriptors.removeFirst(count) }
            return Array(reading.descriptors.prefix(count))
        }
    }
}

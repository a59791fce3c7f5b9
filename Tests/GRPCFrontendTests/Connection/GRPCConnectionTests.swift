import NIOCore
import Testing

@testable import GRPCFrontend

@Suite("gRPC connection")
struct GRPCConnectionTests {
    typealias Action = GRPCConnection.Action

    private func time(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    /// A connection that was opened at 0 and whose client has shown that it speaks HTTP/2.
    private func connection(age: Int64? = nil, _ change: (inout GRPCOptions) -> Void = { _ in }) -> GRPCConnection {
        var options = GRPCOptions()
        options.keepaliveTime = 1000
        options.keepaliveTimeout = 200
        change(&options)
        var connection = GRPCConnection(options, age: age, at: time(0))
        connection.handshakeFinished()
        return connection
    }

    private let announcement: [Action] = [.announceEnd, .ping(GRPCConnection.endPing)]

    private func farewell(_ lastStream: Int) -> Action { .goAway(lastStream: lastStream, code: .noError, reason: "") }

    // MARK: The beginning

    @Test("A client that says nothing is closed, also when something else comes than HTTP/2")
    func silence() {
        var connection = GRPCConnection(GRPCOptions(), age: nil, at: time(0))
        #expect(connection.nextDeadline == time(20_000))
        connection.received(at: time(15_000))
        #expect(connection.timeReached(time(19_999)) == [])
        #expect(connection.timeReached(time(20_000)) == [.close])
        #expect(connection.nextDeadline == nil)
    }

    @Test("A client that has spoken may be silent for as long as it likes")
    func idle() {
        var connection = connection()
        #expect(connection.nextDeadline == nil)
        #expect(connection.timeReached(time(1_000_000)) == [])
    }

    // MARK: The gentle end

    @Test("The end comes when the client knows of it and the last call has ended")
    func drain() {
        var connection = connection()
        connection.streamOpened(1, at: time(10))
        #expect(connection.drain(at: time(20)) == announcement)
        #expect(connection.drain(at: time(21)) == [])
        connection.streamOpened(3, at: time(30))
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(3)])
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [])
        #expect(connection.streamClosed() == [])
        #expect(connection.streamClosed() == [.closeWhenFlushed])
        #expect(connection.nextDeadline == nil)
    }

    @Test("Without calls the end comes with the ping's answer")
    func drainWithoutCalls() {
        var connection = connection()
        #expect(connection.drain(at: time(0)) == announcement)
        #expect(connection.pingAnswered(GRPCConnection.keepalivePing) == [])
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(0), .closeWhenFlushed])
    }

    @Test("A call that ends before the client knows does not end the connection")
    func callEndsWhileAnnounced() {
        var connection = connection()
        connection.streamOpened(1, at: time(0))
        #expect(connection.drain(at: time(0)) == announcement)
        #expect(connection.streamClosed() == [])
        connection.streamOpened(3, at: time(1))
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(3)])
        #expect(connection.streamClosed() == [.closeWhenFlushed])
    }

    @Test("A client that does not answer the ping is not waited for")
    func announcementTimeout() {
        var connection = connection()
        connection.streamOpened(5, at: time(0))
        #expect(connection.drain(at: time(100)) == announcement)
        #expect(connection.timeReached(time(5100)).first == farewell(5))
        #expect(connection.streamClosed() == [.closeWhenFlushed])
    }

    @Test("A client that has said nothing yet is told as well")
    func drainBeforeTheHandshake() {
        var connection = GRPCConnection(GRPCOptions(), age: nil, at: time(0))
        #expect(connection.drain(at: time(10)) == announcement)
        connection.handshakeFinished()
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(0), .closeWhenFlushed])
    }

    // MARK: Age

    @Test("An old connection ends gently, and its calls have the grace")
    func age() {
        var connection = connection(age: 500) {
            $0.connectionAgeGrace = 300
            $0.keepaliveTime = 100_000
        }
        connection.streamOpened(1, at: time(0))
        #expect(connection.nextDeadline == time(500))
        #expect(connection.timeReached(time(499)) == [])
        #expect(connection.timeReached(time(500)) == announcement)
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(1)])
        #expect(connection.nextDeadline == time(800))
        #expect(connection.timeReached(time(799)) == [])
        #expect(connection.timeReached(time(800)) == [.close])
    }

    @Test("Without a grace the calls of an old connection have all the time they need")
    func ageWithoutGrace() {
        var connection = connection(age: 500) { $0.keepaliveTime = 1_000_000 }
        connection.streamOpened(1, at: time(0))
        #expect(connection.timeReached(time(500)) == announcement)
        #expect(connection.pingAnswered(GRPCConnection.endPing) == [farewell(1)])
        #expect(connection.timeReached(time(100_000)) == [])
    }

    @Test("The grace belongs to old connections: a server that is about to go has its own time")
    func drainHasNoGrace() {
        var connection = connection { $0.connectionAgeGrace = 300 }
        connection.streamOpened(1, at: time(0))
        _ = connection.drain(at: time(0))
        _ = connection.pingAnswered(GRPCConnection.endPing)
        #expect(connection.timeReached(time(500)) == [])
    }

    // MARK: Keep-alive

    @Test("A silent client with calls is pinged, and closed where it does not answer")
    func keepalive() {
        var connection = connection()
        connection.streamOpened(1, at: time(100))
        #expect(connection.nextDeadline == time(1100))
        #expect(connection.timeReached(time(1100)) == [.ping(GRPCConnection.keepalivePing)])
        #expect(connection.nextDeadline == time(1300))
        #expect(connection.timeReached(time(1299)) == [])
        #expect(connection.timeReached(time(1300)) == [.close])
    }

    @Test("Whatever comes shows that the client is there")
    func keepaliveAnswered() {
        var connection = connection()
        connection.streamOpened(1, at: time(0))
        #expect(connection.timeReached(time(1000)) == [.ping(GRPCConnection.keepalivePing)])
        connection.received(at: time(1100))
        #expect(connection.nextDeadline == time(2100))
        #expect(connection.timeReached(time(1300)) == [])
        #expect(connection.timeReached(time(2100)) == [.ping(GRPCConnection.keepalivePing)])
    }

    @Test("Without calls nobody is pinged unless that is wanted")
    func keepaliveWithoutCalls() {
        var quiet = connection()
        quiet.streamOpened(1, at: time(0))
        #expect(quiet.streamClosed() == [])
        quiet.received(at: time(10))
        #expect(quiet.nextDeadline == nil)
        var watchful = connection { $0.pingsWithoutCalls = true }
        watchful.received(at: time(10))
        #expect(watchful.timeReached(time(1010)) == [.ping(GRPCConnection.keepalivePing)])
    }

    @Test("While nothing goes out only so many pings do")
    func keepaliveLimit() {
        var connection = connection()
        connection.streamOpened(1, at: time(0))
        var pings = 0
        for step in Int64(1)...6 {
            if connection.timeReached(time(step * 1000)) == [.ping(GRPCConnection.keepalivePing)] { pings += 1 }
            // The client answers.
            connection.received(at: time(step * 1000))
        }
        #expect(pings == 2)
        connection.sentData()
        #expect(connection.timeReached(time(8000)) == [.ping(GRPCConnection.keepalivePing)])
    }

    // MARK: The hard end

    @Test("Too many pings end the connection")
    func tooManyPings() {
        var connection = connection()
        connection.streamOpened(7, at: time(0))
        for _ in 0..<3 { #expect(connection.pingReceived(at: time(0)) == []) }
        #expect(
            connection.pingReceived(at: time(0)) == [
                .goAway(lastStream: 7, code: .enhanceYourCalm, reason: "too_many_pings"), .closeWhenFlushed,
            ])
        #expect(connection.pingReceived(at: time(0)) == [])
        #expect(connection.streamClosed() == [])
    }

    @Test("A broken protocol ends it at once, and only once")
    func failure() {
        var connection = connection(age: 10)
        #expect(connection.failed() == [.closeWhenFlushed])
        #expect(connection.failed() == [])
        #expect(connection.drain(at: time(1)) == [])
        #expect(connection.timeReached(time(10)) == [])
        #expect(connection.nextDeadline == nil)
    }
}

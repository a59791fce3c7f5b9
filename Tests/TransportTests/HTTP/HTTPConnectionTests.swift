import NIOCore
import NIOHTTP1
import Testing

@testable import Transport

@Suite("HTTP connection")
struct HTTPConnectionTests {
    typealias Action = HTTPConnection.Action

    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private func connection() -> HTTPConnection {
        var options = HTTPConnectionOptions()
        options.idleTimeout = 100
        options.bodyTimeout = 10
        options.writeTimeout = 40
        options.farewell = 2
        return HTTPConnection(options, at: time(0))
    }

    private func head(
        _ method: HTTPMethod = .POST, version: HTTPVersion = .http1_1, _ headers: HTTPHeaders = [:]
    ) -> HTTPRequestHead {
        var headers = headers
        if version == .http1_1 { headers.add(name: "Host", value: "x") }
        return HTTPRequestHead(version: version, method: method, uri: "/", headers: headers)
    }

    private func delivery(keepsAlive: Bool = true, isHead: Bool = false, version: HTTPVersion = .http1_1) -> Action {
        .write(.init(version: version, isHead: isHead, keepsAlive: keepsAlive))
    }

    private func responding(_ connection: inout HTTPConnection, _ head: HTTPRequestHead) {
        _ = connection.received(.head(head), at: time(0))
        _ = connection.received(.end(nil), at: time(0))
    }

    // MARK: Requests

    @Test("A request is gathered, handed over and answered, and the next one too")
    func exchange() {
        var connection = connection()
        for number in 1...3 {
            #expect(connection.received(.head(head()), at: time(1)) == [.begin(head())])
            #expect(connection.began() == [])
            let chunk = ByteBuffer(string: "body")
            #expect(connection.received(.body(chunk), at: time(2)) == [.append(chunk)])
            let respond = Action.respond(head(), number: number, receiveStart: time(1))
            #expect(connection.received(.end(nil), at: time(3)) == [respond])
            #expect(connection.nextDeadline == nil)
            #expect(connection.answered(number, at: time(4)) == [delivery()])
            #expect(connection.nextDeadline == time(104))
        }
    }

    @Test("An answer that is not the current request's is dropped")
    func staleAnswers() {
        var connection = connection()
        responding(&connection, head())
        #expect(connection.answered(2, at: time(0)) == [])
        #expect(connection.answered(1, at: time(0)) == [delivery()])
        #expect(connection.answered(1, at: time(0)) == [])
    }

    @Test("A client that waits to be told so may go on, once the request can be taken")
    func expectation() {
        var connection = connection()
        let patient = head(.POST, ["Expect": "100-Continue"])
        #expect(connection.received(.head(patient), at: time(0)) == [.begin(patient)])
        #expect(connection.began() == [.sendContinue(.http1_1)])
        let error = HTTPConnectionError(.payloadTooLarge, "long")
        #expect(connection.refuse(error, at: time(0)) == [.refuse(error)])
        #expect(connection.began() == [])
    }

    @Test(
        "Whether another request may follow",
        arguments: [
            (HTTPMethod.POST, HTTPVersion.http1_1, HTTPHeaders(), true),
            (.POST, .http1_1, ["Connection": "close"], false),
            (.POST, .http1_0, [:], false),
            (.POST, .http1_0, ["Connection": "keep-alive"], true),
            (.CONNECT, .http1_1, [:], false),
            (.GET, .http1_1, ["Upgrade": "h2c"], false),
        ] as [(HTTPMethod, HTTPVersion, HTTPHeaders, Bool)])
    func keepAlive(method: HTTPMethod, version: HTTPVersion, headers: HTTPHeaders, keepsAlive: Bool) {
        var connection = connection()
        responding(&connection, head(method, version: version, headers))
        let end: [Action] = keepsAlive ? [] : [.closeWhenFlushed]
        #expect(
            connection.answered(1, at: time(0)) == [delivery(keepsAlive: keepsAlive, version: version)] + end)
        #expect(connection.received(.head(head()), at: time(1)) == (keepsAlive ? [.begin(head())] : []))
    }

    @Test(
        "Heads that could be read in two ways are refused",
        arguments: [
            (["Transfer-Encoding": "gzip, chunked"], 501),
            (HTTPHeaders([("Transfer-Encoding", "gzip"), ("transfer-encoding", "chunked")]), 501),
            (["Transfer-Encoding": "Chunked"], nil),
            (HTTPHeaders([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]), 400),
            (["Host": "y"], 400), (["Host": "x"], 400),
        ] as [(HTTPHeaders, UInt?)])
    func heads(headers: HTTPHeaders, status: UInt?) {
        var connection = connection()
        let actions = connection.received(.head(head(.POST, headers)), at: time(0))
        if let status {
            guard case .refuse(let error) = actions.first else { return #expect(Bool(false), "\(actions)") }
            #expect(error.status.code == status)
        } else {
            #expect(actions == [.begin(head(.POST, headers))])
        }
    }

    @Test("HTTP/1.1 names the host, HTTP/1.0 need not")
    func hosts() {
        var connection = connection()
        let old = HTTPRequestHead(version: .http1_0, method: .GET, uri: "/")
        #expect(connection.received(.head(old), at: time(0)) == [.begin(old)])
        var other = self.connection()
        let new = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        guard case .refuse(let error) = other.received(.head(new), at: time(0)).first else {
            return #expect(Bool(false))
        }
        #expect(error.status == .badRequest)
        #expect(error.message.contains("Host"))
    }

    @Test("A refused request is read over, and then the connection closes")
    func refusal() {
        var connection = connection()
        _ = connection.received(.head(head()), at: time(0))
        let error = HTTPConnectionError(.payloadTooLarge, "long")
        #expect(connection.refuse(error, at: time(1)) == [.refuse(error)])
        #expect(connection.received(.body(ByteBuffer(string: "more")), at: time(1)) == [])
        #expect(connection.nextDeadline == time(6))
        #expect(connection.received(.end(nil), at: time(2)) == [.closeWhenFlushed])
        #expect(connection.received(.head(head()), at: time(2)) == [])
    }

    @Test("What is no HTTP is refused; behind a request that is being answered it only ends the connection")
    func parserErrors() {
        let error = HTTPConnectionError(.badRequest, "no HTTP")
        var idle = connection()
        #expect(idle.parsingFailed(error, at: time(0)) == [.refuse(error)])
        #expect(idle.parsingFailed(error, at: time(0)) == [.closeWhenFlushed])
        var busy = connection()
        responding(&busy, head())
        #expect(busy.parsingFailed(error, at: time(0)) == [])
        #expect(busy.answered(1, at: time(0)) == [delivery(keepsAlive: false), .closeWhenFlushed])
    }

    // MARK: Pipelining

    @Test("What is pipelined waits for its turn, and for a client that takes its answers")
    func pipelining() {
        var connection = connection()
        responding(&connection, head())
        #expect(connection.received(.head(head(.GET)), at: time(1)) == [])
        #expect(connection.received(.end(nil), at: time(1)) == [])
        let isReadNow = connection.readWanted()
        #expect(!isReadNow)
        #expect(connection.next(at: time(1)) == nil)
        #expect(connection.answered(1, at: time(2)) == [delivery()])
        connection.writabilityChanged(to: false, buffered: 100, at: time(2))
        #expect(connection.next(at: time(2)) == nil)
        connection.writabilityChanged(to: true, buffered: 0, at: time(3))
        #expect(connection.next(at: time(3)) == [.begin(head(.GET))])
        #expect(connection.next(at: time(4)) == [.respond(head(.GET), number: 2, receiveStart: time(3))])
        #expect(connection.next(at: time(4)) == [.read])
        #expect(connection.next(at: time(4)) == nil)
    }

    @Test("Nothing is read while a client does not take its answers")
    func backpressure() {
        var connection = connection()
        let isRead = connection.readWanted()
        #expect(isRead)
        connection.writabilityChanged(to: false, buffered: 1, at: time(0))
        let isReadNow = connection.readWanted()
        #expect(!isReadNow)
        #expect(connection.next(at: time(0)) == nil)
        connection.writabilityChanged(to: true, buffered: 0, at: time(1))
        #expect(connection.next(at: time(1)) == [.read])
    }

    // MARK: Answers in pieces

    @Test("An answer in pieces")
    func stream() {
        var connection = connection()
        responding(&connection, head())
        #expect(!connection.isStreaming(1))
        #expect(connection.streamStarted(1) == [delivery()])
        #expect(connection.isStreaming(1))
        #expect(connection.streamStarted(1) == [])
        #expect(connection.answered(1, at: time(0)) == [])
        #expect(connection.streamEnded(1, at: time(1)) == [.writeEnd])
        #expect(!connection.isStreaming(1))
        #expect(connection.streamEnded(1, at: time(1)) == [])
        #expect(connection.nextDeadline == time(101))
    }

    @Test("Without chunks only the connection's end ends an answer in pieces")
    func oldStream() {
        var connection = connection()
        responding(&connection, head(.POST, version: .http1_0, ["Connection": "keep-alive"]))
        #expect(connection.streamStarted(1) == [delivery(keepsAlive: false, version: .http1_0)])
        #expect(connection.streamEnded(1, at: time(1)) == [.writeEnd, .closeWhenFlushed])
    }

    // MARK: Times

    @Test("A silent connection closes after the idle time, counted from its last answer")
    func idle() {
        var connection = connection()
        #expect(connection.nextDeadline == time(100))
        #expect(connection.timeReached(time(99), buffered: 0) == [])
        responding(&connection, head())
        #expect(connection.timeReached(time(1000), buffered: 0) == [])
        _ = connection.answered(1, at: time(1000))
        #expect(connection.timeReached(time(1099), buffered: 0) == [])
        #expect(connection.timeReached(time(1100), buffered: 0) == [.closeWhenFlushed])
        #expect(connection.nextDeadline == nil)
    }

    @Test("A request that does not come in is answered, and then read over for a while")
    func body() {
        var connection = connection()
        _ = connection.received(.head(head()), at: time(1))
        _ = connection.received(.body(ByteBuffer(string: "a")), at: time(10))
        #expect(connection.timeReached(time(10), buffered: 0) == [])
        let error = HTTPConnectionError(
            .requestTimeout, "the request did not come in within http-body-timeout-secs, 10")
        #expect(connection.timeReached(time(11), buffered: 0) == [.refuse(error)])
        #expect(connection.timeReached(time(15), buffered: 0) == [])
        #expect(connection.timeReached(time(16), buffered: 0) == [.close])
    }

    @Test("A client that takes none of its answer is closed, and one that takes it slowly is not")
    func write() {
        var slow = connection()
        responding(&slow, head())
        _ = slow.answered(1, at: time(0))
        slow.writabilityChanged(to: false, buffered: 1000, at: time(0))
        for step in Int64(1)...20 {
            #expect(slow.nextDeadline == time(step * 10))
            #expect(slow.timeReached(time(step * 10), buffered: 1000 - Int(step)) == [])
        }
        var stuck = connection()
        responding(&stuck, head())
        stuck.writabilityChanged(to: false, buffered: 1000, at: time(0))
        #expect(stuck.timeReached(time(10), buffered: 999) == [])
        for step in Int64(2)...4 { #expect(stuck.timeReached(time(step * 10), buffered: 999) == []) }
        #expect(stuck.timeReached(time(50), buffered: 999) == [.close])
    }

    // MARK: The end

    @Test("When the server is about to go the last answer says so")
    func drainWhileBusy() {
        var connection = connection()
        responding(&connection, head())
        connection.drain(at: time(1))
        #expect(connection.nextDeadline == nil)
        #expect(connection.answered(1, at: time(50)) == [delivery(keepsAlive: false), .closeWhenFlushed])
    }

    @Test("A request that races with the server's end is answered")
    func drainWhileIdle() {
        var connection = connection()
        connection.drain(at: time(10))
        #expect(connection.nextDeadline == time(12))
        #expect(connection.received(.head(head()), at: time(11)) == [.begin(head())])
        _ = connection.received(.end(nil), at: time(11))
        #expect(connection.timeReached(time(12), buffered: 0) == [])
        #expect(connection.answered(1, at: time(13)) == [delivery(keepsAlive: false), .closeWhenFlushed])
        var silent = self.connection()
        silent.drain(at: time(10))
        #expect(silent.timeReached(time(12), buffered: 0) == [.closeWhenFlushed])
    }

    @Test("A client that has taken its last answer at leisure is not waited for any longer")
    func drainWhileAnswerWaits() {
        var connection = connection()
        responding(&connection, head())
        #expect(connection.answered(1, at: time(1)) == [delivery()])
        connection.writabilityChanged(to: false, buffered: 1000, at: time(1))
        connection.drain(at: time(2))
        connection.writabilityChanged(to: true, buffered: 0, at: time(20))
        #expect(connection.nextDeadline == time(22))
        #expect(connection.timeReached(time(22), buffered: 0) == [.closeWhenFlushed])
    }

    @Test("A client that has closed its side gets its answer, and is probed meanwhile")
    func halfClosed() {
        var connection = connection()
        responding(&connection, head())
        #expect(connection.inputClosed() == [.sendContinue(.http1_1)])
        #expect(connection.answered(1, at: time(0)) == [delivery(keepsAlive: false), .closeWhenFlushed])
        var old = self.connection()
        responding(&old, head(.POST, version: .http1_0))
        #expect(old.inputClosed() == [])
        var idle = self.connection()
        #expect(idle.inputClosed() == [.closeWhenFlushed])
        #expect(idle.inputClosed() == [])
    }

    @Test("Who answers a client that has gone is told so, once")
    func gone() {
        var connection = connection()
        responding(&connection, head())
        #expect(connection.closed() == [.cancel])
        #expect(connection.closed() == [])
        #expect(connection.answered(1, at: time(0)) == [])
        #expect(connection.nextDeadline == nil)
    }
}

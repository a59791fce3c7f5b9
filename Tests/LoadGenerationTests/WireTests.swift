import Halcyon
import NIOCore
import NIOHPACK
import Tensors
import Testing

@testable import LoadGeneration

@Suite("What goes over the wires")
struct WireTests {
    @Test(
        "Addresses",
        arguments: [
            ("http://localhost", "HTTP", false, "localhost", 8000, ""),
            ("localhost:80", "HTTP", false, "localhost", 80, ""),
            ("https://h/a/b/", "HTTP", true, "h", 443, "/a/b"), ("grpc://h", "gRPC", false, "h", 8001, ""),
            ("grpcs://[::1]:9", "gRPC", true, "::1", 9, ""),
        ])
    func addresses(text: String, wire: String, tls: Bool, host: String, port: Int, prefix: String) throws {
        let address = try ServerAddress(parsing: text)
        #expect(address.wire.rawValue == wire && address.usesTLS == tls && address.host == host)
        #expect(address.port == port && address.prefix == prefix)
    }

    @Test(
        "What is no address is refused",
        arguments: ["", "ftp://h", "http://", "http://h:0", "http://h:x", "grpc://h/p", "http://a@b", "http://[::1"])
    func noAddress(text: String) { #expect(throws: HalcyonError.self) { try ServerAddress(parsing: text) } }

    private func scan(_ text: String, pieces: Int, keepsBodies: Bool = true) throws -> [HTTPAnswer] {
        var scanner = HTTPResponseScanner(keepsBodies: keepsBodies)
        var buffer = ByteBuffer()
        var answers: [HTTPAnswer] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            buffer.writeBytes(bytes[start..<min(start + pieces, bytes.count)])
            while let answer = try scanner.next(&buffer) { answers.append(answer) }
        }
        return answers
    }

    @Test("Responses are found wherever the bytes are cut", arguments: [1, 2, 3, 7, 1000])
    func responses(pieces: Int) throws {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
            + "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
            + "HTTP/1.1 200 OK\r\ncontent-length:0\r\nConnection: close\r\n\r\n"
        let answers = try scan(text, pieces: pieces)
        #expect(answers.map(\.status) == [200, 404, 200])
        #expect(answers.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "abcde", ""])
        #expect(answers.map(\.keepsAlive) == [true, true, false])
    }

    @Test("Only errors' texts are kept under load")
    func bodies() throws {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 Bad\r\ncontent-length: 3\r\n\r\nbad"
        #expect(try scan(text, pieces: 1000, keepsBodies: false).map(\.body.count) == [0, 3])
    }

    @Test(
        "What is no HTTP is refused",
        arguments: ["SSH-2.0-x\r\n\r\n", "\u{0}\u{0}\u{6}\u{4}", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"])
    func noHTTP(text: String) { #expect(throws: HalcyonError.self) { try scan(text, pieces: 1000) } }

    private func form(sequence: Int = 0) throws -> RequestForm {
        let model = ModelDescription(
            name: "a b", version: "2", maxBatchSize: 0,
            inputs: [.init(name: "IN", elementType: .int8, shape: [2])],
            outputs: [.init(name: "OUT", elementType: .int8, shape: [2])])
        let steps = try [[Int8(1), 2], [3, 4], [5, 6]].map { [try Tensor(name: "IN", shape: [2], $0)] }
        var form = RequestForm(model: model, data: RequestData(streams: [steps]), batch: 1)
        form.sequenceLength = sequence
        return form
    }

    @Test("A request over HTTP")
    func httpRequest() throws {
        var form = try form()
        let writer = HTTPRequestWriter(
            address: try ServerAddress(parsing: "http://h:1/p"), headers: [(name: "x-key", value: "v")])
        let step = form.data.steps[0]
        let binary = writer.inference(form, step: step, lane: 0, index: 0, sequence: nil)
        let text = String(decoding: binary.readableBytesView, as: UTF8.self)
        let json =
            #"{"parameters":{"binary_data_output":true},"inputs":[{"name":"IN","datatype":"INT8","#
            + #""shape":[2],"parameters":{"binary_data_size":2}}]}"#
        #expect(
            text == "POST /p/v2/models/a%20b/versions/2/infer HTTP/1.1\r\nhost: h:1\r\nx-key: v\r\n"
                + "content-type: application/octet-stream\r\ninference-header-content-length: \(json.utf8.count)\r\n"
                + "content-length: \(json.utf8.count + 2)\r\n\r\n\(json)\u{1}\u{2}")
        form.usesJSON = true
        let sequence = InferenceSequence(id: .number(7), isStart: true)
        let plain = writer.inference(form, step: step, lane: 0, index: 0, sequence: sequence)
        #expect(
            String(decoding: plain.readableBytesView, as: UTF8.self).hasSuffix(
                #"{"parameters":{"sequence_id":7,"sequence_start":true,"sequence_end":false},"#
                    + #""inputs":[{"name":"IN","datatype":"INT8","shape":[2],"data":[1,2]}]}"#
            ))
    }

    @Test("Sequences begin and end, and each has a number of its own")
    func sequences() throws {
        var cursor = RequestCursor(try form(sequence: 2), lane: 1, of: 3, firstID: 10)
        let places = (0..<4).map { _ in cursor.next() }
        #expect(places.map(\.step) == [0, 1, 0, 1])
        #expect(
            places.map(\.sequence) == [
                InferenceSequence(id: .number(11), isStart: true), InferenceSequence(id: .number(11), isEnd: true),
                InferenceSequence(id: .number(14), isStart: true), InferenceSequence(id: .number(14), isEnd: true),
            ])
        _ = cursor.next()
        #expect(cursor.isInSequence)
        #expect(cursor.next(isLast: true).sequence?.isEnd == true)
        #expect(!cursor.isInSequence)
    }

    @Test("Without sequences lanes begin elsewhere and take all steps")
    func steps() throws {
        var cursor = RequestCursor(try form(), lane: 1, of: 2, firstID: 1)
        #expect((0..<4).map { _ in cursor.next() }.map(\.step) == [1, 2, 0, 1])
        #expect(!cursor.isInSequence)
    }

    @Test("Headers mean the same in all their forms, and the later ones are short")
    func headers() throws {
        let block = HeaderBlock(
            path: "/s/M", authority: "h:1", usesTLS: false,
            metadata: [(name: "Key", value: String(repeating: "v", count: 200))])
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var results: [HPACKHeaders] = []
        for bytes in [block.first, block.later, block.later, block.plain] {
            var buffer = ByteBuffer(bytes: bytes)
            results.append(try decoder.decodeHeaders(from: &buffer))
        }
        for headers in results {
            #expect(headers == results[0])
            #expect(headers.first(name: ":path") == "/s/M" && headers.first(name: "key")?.count == 200)
        }
        #expect(block.later.count == 7)
        let long = HeaderBlock(
            path: "/", authority: "h", usesTLS: true,
            metadata: [(name: "k", value: String(repeating: "v", count: 5000))])
        #expect(long.first == long.plain && long.later == long.plain)
    }

    @Test("A block that adds to the table has others read anew")
    func responseHeaders() throws {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var reader = ResponseHeaders()
        for status in [0, 0, 5, 0, 5, 3] {
            var buffer = ByteBuffer()
            try encoder.encode(
                headers: [":status": "200", "grpc-status": String(status), "grpc-message": "a%20b"], to: &buffer)
            let content = try reader.read(Array(buffer.readableBytesView))
            #expect(content == .init(status: "200", grpcStatus: status, grpcMessage: "a b"))
        }
    }

    @Test("Messages are found wherever the data is cut", arguments: [1, 4, 5, 9, 1000])
    func messages(pieces: Int) {
        var parser = GRPCMessageParser(keepsBodies: false, isStreaming: true)
        let bytes: [UInt8] =
            [0, 0, 0, 0, 3, 0x12, 1, 9] + [0, 0, 0, 0, 0] + [0, 0, 0, 0, 4, 0x0A, 2] + Array("no".utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            parser.read(ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)]))
        }
        #expect(parser.count == 3)
        #expect(parser.failure == "no")
        #expect(parser.body.isEmpty)
    }

    private func ended(_ events: [HTTP2Client.Event]) -> [GRPCAnswer] {
        events.compactMap { if case .ended(_, let answer) = $0 { answer } else { nil } }
    }

    private func frames(_ buffer: ByteBuffer) -> [(type: UInt8, flags: UInt8, stream: Int, length: Int)] {
        var buffer = buffer
        var frames: [(type: UInt8, flags: UInt8, stream: Int, length: Int)] = []
        while let frame = HTTP2Frame(at: buffer) {
            frames.append((frame.type, frame.flags, frame.stream, frame.length))
            buffer.moveReaderIndex(forwardBy: min(buffer.readableBytes, 9 + frame.length))
        }
        return frames
    }

    @Test("A call over HTTP/2 keeps to the server's windows, and goes on when they grow")
    func flowControl() throws {
        var client = HTTP2Client(keepsBodies: true, isStreaming: false)
        let block = HeaderBlock(path: "/s/M", authority: "h", usesTLS: false, metadata: [])
        var output = ByteBuffer()
        client.begin(call: 4, block, ByteBuffer(repeating: 1, count: 70_000), output: &output)
        #expect(frames(output).map(\.length) == [block.first.count, 16384, 16384, 16384, 16383])
        var input = ByteBuffer()
        HTTP2Frame.write(HTTP2Frame.windowUpdate, length: 4, to: &input)
        input.writeInteger(UInt32(100_000))
        HTTP2Frame.write(HTTP2Frame.windowUpdate, stream: 1, length: 4, to: &input)
        input.writeInteger(UInt32(100_000))
        HTTP2Frame.write(HTTP2Frame.ping, length: 8, to: &input)
        input.writeBytes(Array(repeating: 7, count: 8))
        output = ByteBuffer()
        var events: [HTTP2Client.Event] = []
        try client.receive(&input, output: &output, &events)
        let sent = frames(output)
        #expect(sent.map(\.type) == [HTTP2Frame.data, HTTP2Frame.ping])
        #expect(sent[0].length == 70_000 - 65_535 && sent[0].flags == HTTP2Frame.endStream)
        #expect(sent[1].flags == HTTP2Frame.acknowledgement)
        #expect(events.isEmpty && !client.isIdle)
        // The answer: headers, a message, trailers.
        for (headers, isEnd) in [([UInt8(0x88)], false), ([0x00, 11] + Array("grpc-status".utf8) + [1, 0x30], true)] {
            HTTP2Frame.write(
                HTTP2Frame.headers, flags: HTTP2Frame.endHeaders | (isEnd ? HTTP2Frame.endStream : 0), stream: 1,
                length: headers.count, to: &input)
            input.writeBytes(headers)
            if !isEnd {
                HTTP2Frame.write(HTTP2Frame.data, stream: 1, length: 6, to: &input)
                input.writeBytes([0, 0, 0, 0, 1, 42])
            }
        }
        try client.receive(&input, output: &output, &events)
        #expect(ended(events) == [GRPCAnswer(status: 0, message: "", body: [42], count: 1)])
        #expect(client.isIdle)
    }

    @Test("A reset call and one behind a farewell have ended badly; what is no HTTP/2 is refused")
    func endings() throws {
        var client = HTTP2Client(keepsBodies: false, isStreaming: false)
        let block = HeaderBlock(path: "/s/M", authority: "h", usesTLS: false, metadata: [])
        var output = ByteBuffer()
        for call in 0..<3 { client.begin(call: call, block, ByteBuffer(bytes: [0]), output: &output) }
        var input = ByteBuffer()
        HTTP2Frame.write(HTTP2Frame.reset, stream: 1, length: 4, to: &input)
        input.writeInteger(UInt32(7))
        HTTP2Frame.write(HTTP2Frame.goAway, length: 8, to: &input)
        input.writeInteger(UInt32(3))
        input.writeInteger(UInt32(0))
        var events: [HTTP2Client.Event] = []
        try client.receive(&input, output: &output, &events)
        #expect(ended(events).map(\.status) == [13, 14])
        #expect(client.farewell != nil && client.openCalls == [1])
        var other = ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")
        #expect(throws: HalcyonError.self) { try client.receive(&other, output: &output, &events) }
    }

    @Test("A server that remembers no headers gets them in full, and is told so once")
    func smallTable() throws {
        var client = HTTP2Client(keepsBodies: false, isStreaming: false)
        let block = HeaderBlock(path: "/s/M", authority: "h", usesTLS: false, metadata: [])
        var input = ByteBuffer()
        HTTP2Frame.write(HTTP2Frame.settings, length: 6, to: &input)
        input.writeInteger(UInt16(1))
        input.writeInteger(UInt32(0))
        var output = ByteBuffer()
        var events: [HTTP2Client.Event] = []
        try client.receive(&input, output: &output, &events)
        output = ByteBuffer()
        for call in 0..<2 { client.begin(call: call, block, ByteBuffer(bytes: [0]), output: &output) }
        #expect(frames(output).map(\.length) == [block.plain.count + 1, 1, block.plain.count, 1])
    }
}

internal import NIOCore

/// Finds the messages in the data of a call, and keeps no more of them than it must.
struct GRPCMessageParser {
    /// Bytes of a failure's text that are kept.
    private static let failureLimit = 4096

    private let keepsBodies: Bool
    private let isStreaming: Bool
    /// Bytes of the next message's head, of which there are five.
    private var head: [UInt8] = []
    /// Bytes of the message that are still to come; `nil` between messages.
    private var left: Int?
    private var current: [UInt8] = []
    private var keepsCurrent = false

    /// Whole messages.
    private(set) var count = 0
    /// The last message, where messages are kept.
    private(set) var body: [UInt8] = []
    /// What a message of a stream of inferences says went wrong.
    private(set) var failure: String?

    init(keepsBodies: Bool, isStreaming: Bool) {
        self.keepsBodies = keepsBodies
        self.isStreaming = isStreaming
    }

    mutating func read(_ data: ByteBuffer) {
        var data = data
        while data.readableBytes > 0 {
            guard let rest = left else {
                head += data.readBytes(length: min(5 - head.count, data.readableBytes)) ?? []
                guard head.count == 5 else { return }
                left = head[1...].reduce(0) { $0 << 8 | Int($1) }
                head.removeAll(keepingCapacity: true)
                current = []
                keepsCurrent = keepsBodies
                if left == 0 { finish() }
                continue
            }
            // The first field of a response in a stream is an error's text, or is not there.
            if isStreaming, current.isEmpty, data.getInteger(at: data.readerIndex, as: UInt8.self) == 0x0A {
                keepsCurrent = true
            }
            let part = min(rest, data.readableBytes)
            if keepsCurrent, keepsBodies || current.count < Self.failureLimit {
                current += data.readBytes(length: part) ?? []
            } else {
                data.moveReaderIndex(forwardBy: part)
                if current.isEmpty { current = [0] }
            }
            left = rest - part
            if left == 0 { finish() }
        }
    }

    private mutating func finish() {
        left = nil
        count += 1
        if keepsBodies { body = current }
        if isStreaming, keepsCurrent, failure == nil { failure = Self.text(current) }
        current = []
    }

    /// The text of the first field; `nil` where it is another field, or empty.
    private static func text(_ message: [UInt8]) -> String? {
        guard message.first == 0x0A else { return nil }
        var length = 0
        var shift = 0
        var index = 1
        while index < message.count, shift < 28 {
            let byte = message[index]
            index += 1
            length |= Int(byte & 0x7F) << shift
            shift += 7
            if byte & 0x80 == 0 { break }
        }
        guard length > 0 else { return nil }
        return String(decoding: message[index...].prefix(length), as: UTF8.self)
    }
}

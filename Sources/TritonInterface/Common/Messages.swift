internal import CTriton
package import JSONText
package import Tensors

/// A JSON document that C programs hold.
package final class MessageObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .message }
    private let storage: UnsafeMutableRawBufferPointer
    /// How deep a document may be nested.
    private static let depth = 128

    /// A document that is known to be one.
    package init(_ text: String) {
        let bytes = Array(text.utf8)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0) }
        storage = copy
    }

    deinit { storage.deallocate() }

    /// Reads what a caller gave.
    ///
    /// - Throws: `invalidArgument` for what is no JSON.
    package convenience init(_ bytes: UnsafeRawBufferPointer) throws(HalcyonError) {
        do {
            var scanner = JSONScanner(bytes, maximumDepth: Self.depth)
            try scanner.skip()
            try scanner.end()
        } catch {
            throw HalcyonError(.invalidArgument, "a message is no JSON: \(error)")
        }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    /// The document; valid as long as this.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }

    /// A pointer for a document, which whoever gets it deletes.
    package static func give(_ value: JSONValue) throws(HalcyonError) -> OpaquePointer {
        try Handles.give(MessageObject(value.compact))
    }
}

@c @implementation public func TRITONSERVER_MessageNewFromSerializedJson(
    _ message: UnsafeMutablePointer<OpaquePointer?>?, _ base: UnsafePointer<CChar>?, _ byte_size: Int
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(message, "message")
        guard let base, byte_size >= 0 else { throw HalcyonError(.invalidArgument, "'base' is NULL, expected JSON") }
        place.pointee = try Handles.give(MessageObject(UnsafeRawBufferPointer(start: base, count: byte_size)))
    }
}

@c @implementation public func TRITONSERVER_MessageDelete(_ message: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(message, as: MessageObject.self, "message") }
}

@c @implementation public func TRITONSERVER_MessageSerializeToJson(
    _ message: OpaquePointer?, _ base: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ byte_size: UnsafeMutablePointer<Int>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let bytes = try Handles.object(message, as: MessageObject.self, "message").bytes
        try place(base, "base").pointee = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        try place(byte_size, "byte_size").pointee = bytes.count
    }
}

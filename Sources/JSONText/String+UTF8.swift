extension String {
    /// The text of bytes in UTF-8; `nil` where they are not.
    ///
    /// Nearly all texts on the wires are ASCII: those are not handed to the standard library's check, which is made for
    /// any encoding and looks up what it works with in every call.
    package init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.allSatisfy({ $0 < 0x80 }) {
            self = String(decoding: bytes, as: UTF8.self)
        } else {
            guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
            self = text
        }
    }
}

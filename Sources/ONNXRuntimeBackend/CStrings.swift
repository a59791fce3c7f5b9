/// Texts as the engine takes them, valid as long as this lives.
final class CStrings: @unchecked Sendable {
    let pointers: [UnsafePointer<CChar>]

    init(_ texts: [String]) {
        pointers = texts.map { text in
            let bytes = text.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (index, byte) in bytes.enumerated() { copy[index] = byte }
            return UnsafePointer(copy)
        }
    }

    subscript(index: Int) -> UnsafePointer<CChar> { pointers[index] }

    deinit { for pointer in pointers { pointer.deallocate() } }
}

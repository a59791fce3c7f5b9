private import Glibc
package import Tensors

/// A text as C reads it, for as long as this lives, or a copy of it.
package struct CText: @unchecked Sendable {
    private let memory: ManagedBuffer<Void, CChar>
    package let pointer: UnsafePointer<CChar>

    package init(_ text: String) {
        var text = text
        (memory, pointer) = text.withUTF8 { bytes in
            let memory = ManagedBuffer<Void, CChar>.create(minimumCapacity: bytes.count + 1) { _ in }
            let first = memory.withUnsafeMutablePointerToElements { $0 }
            for (index, byte) in bytes.enumerated() { first[index] = CChar(bitPattern: byte) }
            first[bytes.count] = 0
            return (memory, UnsafePointer(first))
        }
    }

    package static let empty = CText("")
}

/// A text that a caller gave.
///
/// - Throws: `invalidArgument` for NULL.
package func text(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(HalcyonError) -> String {
    guard let pointer else { throw HalcyonError(.invalidArgument, "'\(name)' is NULL, expected a text") }
    return String(cString: pointer)
}

/// Where a caller wants a result.
///
/// - Throws: `invalidArgument` for NULL.
package func place<Value>(
    _ pointer: UnsafeMutablePointer<Value>?, _ name: String
) throws(HalcyonError) -> UnsafeMutablePointer<Value> {
    guard let pointer else {
        throw HalcyonError(.invalidArgument, "'\(name)' is NULL, expected where the result is to be put")
    }
    return pointer
}

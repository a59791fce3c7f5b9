private import Glibc
package import Tensors

/// A text as C reads it, for as long as this lives.
package final class CText: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<CChar>

    package init(_ text: String) {
        let bytes = text.utf8
        memory = .allocate(capacity: bytes.count + 1)
        var next = memory
        for byte in bytes {
            next.initialize(to: CChar(bitPattern: byte))
            next += 1
        }
        next.initialize(to: 0)
    }

    deinit { memory.deallocate() }

    package var pointer: UnsafePointer<CChar> { UnsafePointer(memory) }
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

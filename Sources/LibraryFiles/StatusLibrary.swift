package import Tensors

/// A library whose functions say with a status what came of them, and give objects back through a pointer.
package protocol StatusLibrary {
    associatedtype Status

    /// What the library is called in errors.
    var title: String { get }

    /// Turns a failure into an error that begins with what was tried.
    func check(
        _ status: Status, code: HalcyonError.Code, _ attempt: @autoclosure () -> String
    ) throws(HalcyonError)
}

extension StatusLibrary {
    /// An object that a function of the library makes.
    ///
    /// - Parameter memory: what the object goes on using, and must not go before it.
    package func make(
        code: HalcyonError.Code = .internal, memory: AnyObject? = nil,
        free: @escaping @convention(c) (OpaquePointer) -> Void, _ attempt: @autoclosure () -> String,
        _ body: (UnsafeMutablePointer<OpaquePointer?>) -> Status
    ) throws(HalcyonError) -> Handle {
        var pointer: OpaquePointer?
        try check(body(&pointer), code: code, attempt())
        guard let pointer else { throw HalcyonError(.internal, "\(attempt()): \(title) gave nothing back") }
        return Handle(pointer, memory: memory, free: free)
    }
}

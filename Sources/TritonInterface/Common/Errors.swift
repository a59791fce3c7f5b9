public import CTriton
package import Tensors

/// An error that C programs hold.
package final class ErrorObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .error }
    package let error: HalcyonError
    fileprivate let message: CText
    fileprivate let codeName: CText

    package init(_ error: HalcyonError) {
        self.error = error
        message = CText(error.message)
        codeName = CText(error.code.description)
    }

    /// A pointer for an error, which whoever gets it deletes.
    package static func give(_ error: HalcyonError) -> OpaquePointer? {
        // Where there is no room for it there is none for anything else either, and NULL would mean success.
        (try? Handles.give(ErrorObject(error))) ?? lastResort
    }

    nonisolated(unsafe) private static let lastResort = try? Handles.give(
        ErrorObject(HalcyonError(.unavailable, "there is no memory for another error")))

    /// What a function of a caller's returned: NULL is success. The error is deleted.
    package static func check(_ returned: OpaquePointer?) throws(HalcyonError) {
        guard let returned else { return }
        throw try Handles.take(returned, as: ErrorObject.self, "the returned error").error
    }
}

/// Has a function of the interface done, and says what came of it: NULL, or an error that the caller deletes.
@inline(__always)
package func answer(_ body: () throws(HalcyonError) -> Void) -> OpaquePointer? {
    do {
        try body()
        return nil
    } catch {
        return ErrorObject.give(error)
    }
}

extension HalcyonError.Code {
    private static let numbers: [(code: HalcyonError.Code, number: TRITONSERVER_Error_Code)] = [
        (.unknown, TRITONSERVER_ERROR_UNKNOWN), (.internal, TRITONSERVER_ERROR_INTERNAL),
        (.notFound, TRITONSERVER_ERROR_NOT_FOUND), (.invalidArgument, TRITONSERVER_ERROR_INVALID_ARG),
        (.unavailable, TRITONSERVER_ERROR_UNAVAILABLE), (.unsupported, TRITONSERVER_ERROR_UNSUPPORTED),
        (.alreadyExists, TRITONSERVER_ERROR_ALREADY_EXISTS), (.cancelled, TRITONSERVER_ERROR_CANCELLED),
    ]

    /// `unknown` for a number that is none.
    package init(_ number: TRITONSERVER_Error_Code) {
        self = Self.numbers.first { $0.number == number }?.code ?? .unknown
    }

    package var triton: TRITONSERVER_Error_Code {
        Self.numbers.first { $0.code == self }?.number ?? TRITONSERVER_ERROR_UNKNOWN
    }
}

@c @implementation public func TRITONSERVER_ErrorNew(
    _ code: TRITONSERVER_Error_Code, _ msg: UnsafePointer<CChar>?
) -> OpaquePointer? {
    ErrorObject.give(HalcyonError(HalcyonError.Code(code), msg.map { String(cString: $0) } ?? ""))
}

@c @implementation public func TRITONSERVER_ErrorDelete(_ error: OpaquePointer?) {
    // Programs delete what came back without looking whether it is an error at all.
    guard error != nil else { return }
    _ = try? Handles.take(error, as: ErrorObject.self, "error")
}

@c @implementation public func TRITONSERVER_ErrorCode(_ error: OpaquePointer?) -> TRITONSERVER_Error_Code {
    (try? Handles.object(error, as: ErrorObject.self, "error"))?.error.code.triton ?? TRITONSERVER_ERROR_UNKNOWN
}

@c @implementation public func TRITONSERVER_ErrorCodeString(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    ((try? Handles.object(error, as: ErrorObject.self, "error"))?.codeName ?? NoError.codeName).pointer
}

@c @implementation public func TRITONSERVER_ErrorMessage(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
    ((try? Handles.object(error, as: ErrorObject.self, "error"))?.message ?? NoError.message).pointer
}

/// What is said of a pointer that is no error.
private enum NoError {
    static let codeName = CText(HalcyonError.Code.unknown.description)
    static let message = CText("there is no such error")
}

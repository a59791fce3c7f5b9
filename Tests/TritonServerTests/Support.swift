import CTriton
import Foundation
import HalcyonTestKit
import Tensors
import Threads

/// What a function of the interface returned, as an error; `nil` for success.
func failure(_ returned: OpaquePointer?) -> HalcyonError? {
    guard let returned else { return nil }
    defer { TRITONSERVER_ErrorDelete(returned) }
    let message = TRITONSERVER_ErrorMessage(returned).map { String(cString: $0) } ?? ""
    let codes: [HalcyonError.Code] = [
        .unknown, .internal, .notFound, .invalidArgument, .unavailable, .unsupported, .alreadyExists, .cancelled,
    ]
    return HalcyonError(codes[Int(TRITONSERVER_ErrorCode(returned).rawValue)], message)
}

func check(_ returned: OpaquePointer?) throws {
    if let failure = failure(returned) { throw failure }
}

/// A pointer that a function gives.
func made(_ body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?) throws -> OpaquePointer {
    var pointer: OpaquePointer?
    try check(body(&pointer))
    guard let pointer else { throw HalcyonError(.internal, "a function gave no pointer") }
    return pointer
}

/// The text of a message, which is deleted.
func text(_ body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?) throws -> String {
    let message = try made(body)
    defer { _ = failure(TRITONSERVER_MessageDelete(message)) }
    var base: UnsafePointer<CChar>?
    var size = 0
    try check(TRITONSERVER_MessageSerializeToJson(message, &base, &size))
    return String(decoding: UnsafeRawBufferPointer(start: base, count: size), as: UTF8.self)
}

/// What a C program's callbacks have seen of one request.
final class Seen: Sendable {
    struct Response: Sendable {
        var outputs: [String: [UInt8]] = [:]
        /// Where the outputs lay.
        var addresses: [String: UInt] = [:]
        /// The parameters that are whole numbers.
        var numbers: [String: Int64] = [:]
        var error: HalcyonError?
        var isNull = false
        var isFinal = false
        var thread: UInt
    }

    struct State: Sendable {
        var responses: [Response] = []
        var releases = 0
        var allocated = 0
        var freed = 0
        var starts = 0
        var events: [String] = []
    }

    private let state = Locked(State())
    private let changed = Signal()

    var value: State { state.withLock { $0 } }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        changed.notify()
    }

    /// Blocks until the condition holds.
    @discardableResult
    func wait(until condition: @escaping (State) -> Bool) -> State {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.state.withLock { condition($0) } }
        return value
    }

    var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func at(_ pointer: UnsafeMutableRawPointer?) -> Seen? {
        pointer.map { Unmanaged<Seen>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// The callbacks of a C program that keeps what it sees in the ``Seen`` that it gave for `userp`.
enum Program {
    static let allocate: TRITONSERVER_ResponseAllocatorAllocFn_t = {
        _, _, size, _, _, userp, buffer, bufferUserp, type, typeID in
        buffer?.pointee = malloc(max(1, size))
        bufferUserp?.pointee = userp
        type?.pointee = TRITONSERVER_MEMORY_CPU
        typeID?.pointee = 0
        Seen.at(userp)?.change { $0.allocated += 1 }
        return nil
    }

    static let free: TRITONSERVER_ResponseAllocatorReleaseFn_t = { _, buffer, bufferUserp, _, _, _ in
        Foundation.free(buffer)
        Seen.at(bufferUserp)?.change { $0.freed += 1 }
        return nil
    }

    static let start: TRITONSERVER_ResponseAllocatorStartFn_t = { _, userp in
        Seen.at(userp)?.change { $0.starts += 1 }
        return nil
    }

    static let release: TRITONSERVER_InferenceRequestReleaseFn_t = { _, flags, userp in
        Seen.at(userp)?.change { state in
            state.releases += 1
            state.events.append("release \(flags)")
        }
    }

    static let respond: TRITONSERVER_InferenceResponseCompleteFn_t = { response, flags, userp in
        var seen = Seen.Response(thread: UInt(pthread_self()))
        seen.isFinal = flags & TRITONSERVER_RESPONSE_COMPLETE_FINAL.rawValue != 0
        seen.isNull = response == nil
        if let response {
            // The error belongs to the response.
            if let error = TRITONSERVER_InferenceResponseError(response) {
                let message = TRITONSERVER_ErrorMessage(error).map { String(cString: $0) } ?? ""
                seen.error = HalcyonError(.unknown, message)
            }
            (seen.outputs, seen.addresses) = outputs(of: response)
            seen.numbers = numbers(of: response)
            _ = failure(TRITONSERVER_InferenceResponseDelete(response))
        }
        Seen.at(userp)?.change { [seen] state in
            state.responses.append(seen)
            state.events.append(seen.isFinal ? "final" : "response")
        }
    }

    static func numbers(of response: OpaquePointer) -> [String: Int64] {
        var count: UInt32 = 0
        _ = failure(TRITONSERVER_InferenceResponseParameterCount(response, &count))
        var numbers: [String: Int64] = [:]
        for index in 0..<count {
            var name: UnsafePointer<CChar>?
            var type = TRITONSERVER_PARAMETER_STRING
            var value: UnsafeRawPointer?
            _ = failure(TRITONSERVER_InferenceResponseParameter(response, index, &name, &type, &value))
            guard let name, type == TRITONSERVER_PARAMETER_INT else { continue }
            numbers[String(cString: name)] = value?.loadUnaligned(as: Int64.self)
        }
        return numbers
    }

    static func outputs(of response: OpaquePointer) -> ([String: [UInt8]], [String: UInt]) {
        var count: UInt32 = 0
        _ = failure(TRITONSERVER_InferenceResponseOutputCount(response, &count))
        var outputs: [String: [UInt8]] = [:]
        var addresses: [String: UInt] = [:]
        for index in 0..<count {
            var name: UnsafePointer<CChar>?
            var type = TRITONSERVER_TYPE_INVALID
            var shape: UnsafePointer<Int64>?
            var rank: UInt64 = 0
            var base: UnsafeRawPointer?
            var size = 0
            var memory = TRITONSERVER_MEMORY_CPU
            var memoryID: Int64 = 0
            var userp: UnsafeMutableRawPointer?
            _ = failure(
                TRITONSERVER_InferenceResponseOutput(
                    response, index, &name, &type, &shape, &rank, &base, &size, &memory, &memoryID, &userp))
            guard let name = name.map({ String(cString: $0) }) else { continue }
            outputs[name] = Array(UnsafeRawBufferPointer(start: base, count: size))
            addresses[name] = UInt(bitPattern: base)
        }
        return (outputs, addresses)
    }
}

/// What a function says that was to give a pointer.
func failure(made body: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?) -> HalcyonError? {
    var pointer: OpaquePointer?
    return failure(body(&pointer))
}

/// A folder that goes with the last reference.
final class Folder {
    private let url: URL
    var path: String { url.path }

    init() throws { url = try TemporaryFolder.make() }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to name: String) throws {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent(name), withIntermediateDirectories: true)
    }
}

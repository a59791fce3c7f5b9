import CTriton
import Glibc
import HalcyonTestKit
import Tensors

/// A server of the C interface over a repository with models that need no file.
final class Fixture {
    static let echo = """
        backend: "identity"
        max_batch_size: 8
        input [ { name: "IN", data_type: TYPE_INT32, dims: [ -1 ] } ]
        output [ { name: "OUT", data_type: TYPE_INT32, dims: [ -1 ] } ]
        """
    static let stream = """
        backend: "repeat"
        model_transaction_policy { decoupled: true }
        input [
          { name: "IN", data_type: TYPE_INT32, dims: [ -1 ] },
          { name: "DELAY", data_type: TYPE_UINT32, dims: [ -1 ] },
          { name: "WAIT", data_type: TYPE_UINT32, dims: [ 1 ] }
        ]
        output [
          { name: "OUT", data_type: TYPE_INT32, dims: [ 1 ] },
          { name: "IDX", data_type: TYPE_UINT32, dims: [ 1 ] }
        ]
        """

    let folder: Folder
    let server: OpaquePointer
    private(set) var isDeleted = false

    init(
        _ models: [String: String] = ["echo": Fixture.echo],
        options change: (OpaquePointer) throws -> Void = { _ in }
    ) throws {
        folder = try Folder()
        for (name, configuration) in models { try Self.write(configuration, name, in: folder) }
        let options = try made { TRITONSERVER_ServerOptionsNew($0) }
        defer { _ = failure(TRITONSERVER_ServerOptionsDelete(options)) }
        try check(TRITONSERVER_ServerOptionsSetModelRepositoryPath(options, folder.path))
        try check(TRITONSERVER_ServerOptionsSetLogInfo(options, false))
        try check(TRITONSERVER_ServerOptionsSetLogWarn(options, false))
        try check(TRITONSERVER_ServerOptionsSetLogError(options, false))
        try change(options)
        server = try made { TRITONSERVER_ServerNew($0, options) }
    }

    deinit { if !isDeleted { _ = failure(TRITONSERVER_ServerDelete(server)) } }

    /// The path of a library's source.
    static func library(_ name: String) -> String {
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Libraries/\(name).c"
    }

    func delete() throws {
        isDeleted = true
        try check(TRITONSERVER_ServerDelete(server))
    }

    static func write(_ configuration: String, _ name: String, in folder: Folder) throws {
        try folder.write(configuration, to: "\(name)/config.pbtxt")
        try folder.makeFolder("\(name)/1")
    }
}

/// A request of the C interface, with its allocator and what its callbacks have seen.
final class Call {
    let request: OpaquePointer
    let allocator: OpaquePointer
    let seen = Seen()
    /// Inputs stay where they are until the call goes.
    private var memory: [UnsafeMutableRawPointer] = []

    init(
        _ fixture: Fixture, _ model: String = "echo", version: Int64 = -1,
        allocate: TRITONSERVER_ResponseAllocatorAllocFn_t = Program.allocate
    ) throws {
        request = try made { TRITONSERVER_InferenceRequestNew($0, fixture.server, model, version) }
        allocator = try made {
            TRITONSERVER_ResponseAllocatorNew($0, allocate, Program.free, Program.start)
        }
        try check(TRITONSERVER_InferenceRequestSetReleaseCallback(request, Program.release, seen.pointer))
        try check(
            TRITONSERVER_InferenceRequestSetResponseCallback(
                request, allocator, seen.pointer, Program.respond, seen.pointer))
    }

    deinit {
        _ = failure(TRITONSERVER_InferenceRequestDelete(request))
        _ = failure(TRITONSERVER_ResponseAllocatorDelete(allocator))
        for pointer in memory { pointer.deallocate() }
    }

    /// Adds an input with its bytes in some pieces.
    func add(
        _ values: [Int32], to name: String = "IN", shape: [Int64]? = nil, pieces: Int = 1,
        type: TRITONSERVER_DataType = TRITONSERVER_TYPE_INT32
    ) throws {
        let shape = shape ?? [1, Int64(values.count)]
        try check(TRITONSERVER_InferenceRequestAddInput(request, name, type, shape, UInt64(shape.count)))
        try append(values, to: name, pieces: pieces)
    }

    func append(_ values: [Int32], to name: String = "IN", pieces: Int = 1) throws {
        let count = values.count / pieces
        for piece in 0..<pieces {
            let part = Array(values[piece * count..<(piece + 1) * count])
            let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(1, count * 4), alignment: 4)
            memory.append(pointer)
            part.withUnsafeBytes {
                pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: $0.count)
            }
            try check(
                TRITONSERVER_InferenceRequestAppendInputData(
                    request, name, pointer, count * 4, TRITONSERVER_MEMORY_CPU, 0))
        }
    }

    func infer(on fixture: Fixture, trace: OpaquePointer? = nil) throws {
        try check(TRITONSERVER_ServerInferAsync(fixture.server, request, trace))
    }
}

func int32s(_ bytes: [UInt8]?) -> [Int32] {
    (bytes ?? []).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
    }
}

internal import CTriton
internal import Tensors
internal import Threads

/// What a cache and the server tell each other of an answer: a list of buffers, which belong to neither this nor, while
/// it is used, to anybody who would free them.
package final class CacheEntryObject: TritonObject, @unchecked Sendable {
    struct Buffer: @unchecked Sendable {
        /// `nil` where the cache has still to say where it wants the bytes.
        var base: UnsafeMutableRawPointer?
        var byteCount: Int
        var placement = MemoryPlacement.cpu

        /// - Throws: `invalidArgument` for a buffer without a place, or where the processor does not reach it.
        func bytes() throws(HalcyonError) -> UnsafeMutableRawBufferPointer {
            guard let base else {
                throw HalcyonError(.invalidArgument, "a buffer of \(byteCount) bytes has no address")
            }
            guard placement.isHostAccessible else {
                throw HalcyonError(
                    .unsupported, "a buffer lies in \(placement), expected memory that the processor reaches")
            }
            return UnsafeMutableRawBufferPointer(start: base, count: byteCount)
        }
    }

    package override class var kind: HandleKind { .cacheEntry }
    private let state: Locked<[Buffer]>

    init(_ buffers: [Buffer]) {
        state = Locked(buffers)
        super.init()
    }

    var buffers: [Buffer] { state.withLock { $0 } }

    func add(_ buffer: Buffer) { state.withLock { $0.append(buffer) } }

    /// - Throws: `invalidArgument` for a number that no buffer has.
    func change(_ index: Int, _ body: (inout Buffer) -> Void) throws(HalcyonError) {
        try state.withLock { buffers throws(HalcyonError) in
            guard buffers.indices.contains(index) else {
                throw HalcyonError(
                    .invalidArgument, "there is no buffer number \(index): the entry has \(buffers.count)")
            }
            body(&buffers[index])
        }
    }
}

/// What the server does when a cache has said where the bytes of an entry are: it writes an answer there, or reads one.
package final class CacheAllocatorObject: TritonObject, @unchecked Sendable {
    enum Direction: Sendable {
        case write([TensorBuffer])
        /// The answer to that request.
        case read(request: [UInt8])
    }

    package override class var kind: HandleKind { .cacheAllocator }
    private let direction: Direction
    private let result = Locked<[Tensor]?>(nil)

    init(_ direction: Direction) {
        self.direction = direction
        super.init()
    }

    /// What was read; `nil` where nothing was, or an answer to another request.
    var outputs: [Tensor]? { result.withLock { $0 } }

    /// - Throws: `invalidArgument` for buffers that are not those of the entry.
    func copy(_ entry: CacheEntryObject) throws(HalcyonError) {
        var places: [UnsafeMutableRawBufferPointer] = []
        for buffer in entry.buffers { places.append(try buffer.bytes()) }
        switch direction {
        case .read(let request):
            let outputs = AnswerRecord.outputs(places.map { UnsafeRawBufferPointer($0) }, for: request)
            result.withLock { $0 = outputs }
        case .write(let sources):
            guard sources.map(\.byteCount) == places.map(\.count) else {
                throw HalcyonError(
                    .invalidArgument,
                    "the entry has buffers of \(places.map(\.count)) bytes, expected \(sources.map(\.byteCount))")
            }
            for (source, place) in zip(sources, places) { source.withUnsafeBytes { place.copyMemory(from: $0) } }
        }
    }
}

internal import CTriton
internal import ModelRuntime
internal import Tensors
internal import Threads

/// Who gives memory for outputs: functions of a program.
package final class ResponseAllocatorObject: TritonObject, @unchecked Sendable {
    struct Functions: @unchecked Sendable {
        var allocate: TRITONSERVER_ResponseAllocatorAllocFn_t
        var release: TRITONSERVER_ResponseAllocatorReleaseFn_t
        var start: TRITONSERVER_ResponseAllocatorStartFn_t?
        var attributes: TRITONSERVER_ResponseAllocatorBufferAttributesFn_t?
        var query: TRITONSERVER_ResponseAllocatorQueryFn_t?
    }

    /// Memory that the program gave for an output.
    struct Memory: @unchecked Sendable {
        var base: UnsafeMutableRawPointer?
        var byteCount: Int
        var type: TRITONSERVER_MemoryType
        var typeID: Int64
        var userp: UnsafeMutableRawPointer?
    }

    package override class var kind: HandleKind { .responseAllocator }

    private let functions: Locked<Functions>
    /// What the program calls it.
    private let pointer = Locked<Pointer>(Pointer())

    private struct Pointer: @unchecked Sendable { var value: OpaquePointer? }

    init(_ functions: Functions) {
        self.functions = Locked(functions)
        super.init()
    }

    func isCalled(_ pointer: OpaquePointer) { self.pointer.withLock { $0.value = pointer } }

    func change(_ body: (inout Functions) -> Void) { functions.withLock { body(&$0) } }

    private var name: OpaquePointer? { pointer.withLock { $0.value } }

    /// What is asked for next belongs to another response.
    ///
    /// - Throws: what the program says.
    func start(_ userp: UnsafeMutableRawPointer?) throws(HalcyonError) {
        guard let start = functions.withLock({ $0.start }) else { return }
        try ErrorObject.check(Callback.call { start(name, userp) })
    }

    /// Where the program would put an output; `nil` where it has not said whom to ask.
    func plan(
        for output: String?, byteCount: Int?, _ userp: UnsafeMutableRawPointer?
    ) throws(HalcyonError) -> OutputPlan? {
        guard let query = functions.withLock({ $0.query }) else { return nil }
        var size = byteCount ?? 0
        var (type, typeID) = MemoryPlacement.cpu.triton
        let text = output.map { CText($0) }
        let failure = withExtendedLifetime(text) {
            withUnsafeMutablePointer(to: &size) { size in
                Callback.call { query(name, userp, text?.pointer, byteCount == nil ? nil : size, &type, &typeID) }
            }
        }
        try ErrorObject.check(failure)
        return OutputPlan(placement: try MemoryPlacement(type, typeID), byteCount: byteCount == nil ? nil : size)
    }

    /// Memory for an output.
    ///
    /// - Parameter placement: where it would be best.
    /// - Throws: what the program says; `internal` where it gives none and says nothing.
    func memory(
        for output: String, byteCount: Int, in placement: MemoryPlacement, _ userp: UnsafeMutableRawPointer?
    ) throws(HalcyonError) -> Memory {
        let functions = functions.withLock { $0 }
        let (type, typeID) = placement.triton
        var memory = Memory(base: nil, byteCount: byteCount, type: type, typeID: typeID, userp: nil)
        let failure = output.withCString { output in
            Callback.call {
                functions.allocate(
                    name, output, byteCount, type, typeID, userp, &memory.base, &memory.userp, &memory.type,
                    &memory.typeID)
            }
        }
        try ErrorObject.check(failure)
        guard memory.base != nil || byteCount == 0 else {
            throw HalcyonError(
                .internal, "the response allocator gave no memory for the \(byteCount) bytes of output '\(output)'")
        }
        if let attributes = functions.attributes {
            do throws(HalcyonError) {
                try tell(attributes, output, memory, userp)
            } catch {
                free(memory)
                throw error
            }
        }
        return memory
    }

    /// Has the program add to what is known of memory that it gave.
    private func tell(
        _ attributes: TRITONSERVER_ResponseAllocatorBufferAttributesFn_t, _ output: String, _ memory: Memory,
        _ userp: UnsafeMutableRawPointer?
    ) throws(HalcyonError) {
        let object = BufferAttributesObject(
            placement: try MemoryPlacement(memory.type, memory.typeID), byteCount: memory.byteCount)
        let pointer = try Handles.give(object)
        defer { _ = try? Handles.take(pointer, as: BufferAttributesObject.self, "buffer_attributes") }
        let failure = output.withCString { output in
            Callback.call { attributes(name, output, pointer, userp, memory.userp) }
        }
        try ErrorObject.check(failure)
    }

    /// The server has no more use for memory that the program gave.
    func free(_ memory: Memory) {
        let release = functions.withLock { $0.release }
        // Nobody is there who could be told of an error.
        let failure = Callback.call {
            release(name, memory.base, memory.userp, memory.byteCount, memory.type, memory.typeID)
        }
        try? ErrorObject.check(failure)
    }
}

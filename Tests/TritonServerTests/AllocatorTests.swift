import CTriton
import Foundation
import Tensors
import Testing

@Suite("Response allocators of the C interface")
struct AllocatorTests {
    private func run(
        _ attributes: TRITONSERVER_ResponseAllocatorBufferAttributesFn_t?,
        allocate: TRITONSERVER_ResponseAllocatorAllocFn_t = Program.allocate
    ) throws -> Seen.State {
        let fixture = try Fixture()
        let call = try Call(fixture, allocate: allocate)
        try check(TRITONSERVER_ResponseAllocatorSetBufferAttributesFunction(call.allocator, attributes))
        try call.add([1, 2])
        try call.infer(on: fixture)
        return call.seen.wait { $0.responses.count == 1 && $0.releases >= 1 }
    }

    @Test("The function for attributes of memory sees what the allocator gave, and may refuse it")
    func attributes() throws {
        let seen = try run { _, name, attributes, userp, bufferUserp in
            var size = 0
            if let error = TRITONSERVER_BufferAttributesByteSize(attributes, &size) { return error }
            let text = name.map { String(cString: $0) } ?? ""
            let isSame = userp == bufferUserp
            Seen.at(userp)?.change { $0.events.append("\(text) \(size) \(isSame)") }
            return nil
        }
        #expect(seen.events.contains("OUT 8 true"))
        #expect(int32s(seen.responses[0].outputs["OUT"]) == [1, 2])
        let refused = try run { _, _, _, _, _ in TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "not that") }
        #expect(refused.responses[0].error?.message.contains("not that") == true)
        #expect(refused.allocated == 1 && refused.freed == 1)
        #expect(try run(nil).responses[0].error == nil)
    }

    @Test("An allocator that gives no memory, or memory of no kind, fails the request with a sentence")
    func faults() throws {
        let none = try run(nil, allocate: { _, _, _, _, _, _, _, _, _, _ in nil })
        #expect(none.responses[0].error?.message.contains("gave no memory for the 8 bytes of output 'OUT'") == true)
        let wrong = try run(
            nil,
            allocate: { _, _, size, _, _, userp, buffer, bufferUserp, type, _ in
                buffer?.pointee = malloc(max(1, size))
                bufferUserp?.pointee = userp
                type?.pointee = TRITONSERVER_MemoryType(rawValue: 9)
                return nil
            })
        #expect(wrong.responses[0].error?.message.contains("memory 9") == true)
        #expect(wrong.freed == 1)
    }
}

import CTriton
import ModelRuntime
import Tensors
import Testing

@testable import TritonInterface

@Suite("Handles of Triton's C interface")
struct HandleTests {
    private func complaint(_ error: OpaquePointer?) -> String? {
        guard let error else { return nil }
        defer { TRITONSERVER_ErrorDelete(error) }
        return TRITONSERVER_ErrorMessage(error).map { String(cString: $0) }
    }

    @Test("NULL, a wild pointer, another kind and a deleted one are errors that say so")
    func wrongPointers() throws {
        #expect(complaint(TRITONSERVER_MessageDelete(nil)) == "'message' is NULL, expected a handle of kind 'message'")
        #expect(complaint(TRITONSERVER_MessageDelete(OpaquePointer(bitPattern: 0x1234)))?.contains("nobody") == true)
        let inside = try Handles.give(ParameterObject("name", .plain(.bool(true))))
        let crooked = try #require(OpaquePointer(bitPattern: UInt(bitPattern: inside) + 8))
        #expect(complaint(TRITONSERVER_MessageDelete(crooked))?.contains("nobody") == true)
        #expect(
            complaint(TRITONSERVER_MessageDelete(inside))
                == "'message' is a handle of kind 'parameter', expected a handle of kind 'message'")
        TRITONSERVER_ParameterDelete(inside)
        TRITONSERVER_ParameterDelete(inside)
        #expect(complaint(TRITONSERVER_MessageDelete(inside))?.contains("was given up") == true)
    }

    @Test("a pointer that was given up is not given out again at once, and what it kept alive goes with it")
    func reuse() throws {
        weak var object: ParameterObject?
        let first = try {
            let parameter = ParameterObject("name", .plain(.bool(true)))
            object = parameter
            return try Handles.give(parameter)
        }()
        #expect(object != nil)
        TRITONSERVER_ParameterDelete(first)
        #expect(object == nil)
        for _ in 0..<100 {
            let other = try Handles.give(ParameterObject("name", .plain(.bool(true))))
            #expect(other != first)
            TRITONSERVER_ParameterDelete(other)
        }
    }

    @Test("every code of an error has its number and its name", arguments: HalcyonError.Code.all)
    func errorCodes(_ code: HalcyonError.Code) throws {
        let error = TRITONSERVER_ErrorNew(code.triton, "text")
        #expect(TRITONSERVER_ErrorCode(error) == code.triton)
        #expect(HalcyonError.Code(code.triton) == code)
        #expect(TRITONSERVER_ErrorCodeString(error).map { String(cString: $0) } == code.description)
        #expect(TRITONSERVER_ErrorMessage(error).map { String(cString: $0) } == "text")
        TRITONSERVER_ErrorDelete(error)
    }

    @Test("an error that was deleted still has a text to print")
    func deletedError() {
        let error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, "text")
        TRITONSERVER_ErrorDelete(error)
        #expect(TRITONSERVER_ErrorMessage(error).map { String(cString: $0) } == "there is no such error")
    }

    @Test("types of elements have Triton's names, numbers and sizes", arguments: ElementType.allCases)
    func elementTypes(_ type: ElementType) {
        #expect(ElementType(type.triton) == type)
        #expect(TRITONSERVER_DataTypeString(type.triton).map { String(cString: $0) } == type.rawValue)
        #expect(TRITONSERVER_StringToDataType(type.rawValue) == type.triton)
        #expect(TRITONSERVER_DataTypeByteSize(type.triton) == UInt32(type.byteSize ?? 0))
    }

    @Test("the interface is named whole, and what every program has is there")
    func functions() {
        var functions = [halcyon_triton_function](repeating: halcyon_triton_function(), count: 400)
        let count = halcyon_triton_functions(&functions, functions.count)
        #expect(count == 283)
        let offered = functions.prefix(count).filter(\.is_offered).map { String(cString: $0.name) }
        #expect(offered.contains("TRITONSERVER_ErrorNew"))
        #expect(functions.prefix(count).allSatisfy { $0.address != nil })
    }

    @Test("a message is JSON, and comes back as it was")
    func messages() throws {
        var message: OpaquePointer?
        #expect(TRITONSERVER_MessageNewFromSerializedJson(&message, "{\"a\": [1]}", 10) == nil)
        var base: UnsafePointer<CChar>?
        var size = 0
        #expect(TRITONSERVER_MessageSerializeToJson(message, &base, &size) == nil)
        let text = String(decoding: UnsafeRawBufferPointer(start: base, count: size), as: UTF8.self)
        #expect(text == "{\"a\": [1]}")
        #expect(TRITONSERVER_MessageDelete(message) == nil)
        #expect(
            complaint(TRITONSERVER_MessageNewFromSerializedJson(&message, "{\"a\": [1}", 9))?.contains("JSON") == true)
    }

    @Test("attributes of memory keep what was set, whichever was set first")
    func bufferAttributes() {
        var attributes: OpaquePointer?
        #expect(TRITONSERVER_BufferAttributesNew(&attributes) == nil)
        #expect(TRITONSERVER_BufferAttributesSetMemoryTypeId(attributes, 3) == nil)
        #expect(TRITONSERVER_BufferAttributesSetMemoryType(attributes, TRITONSERVER_MEMORY_GPU) == nil)
        #expect(TRITONSERVER_BufferAttributesSetByteSize(attributes, 12) == nil)
        var (id, type, size) = (Int64(0), TRITONSERVER_MEMORY_CPU, 0)
        #expect(TRITONSERVER_BufferAttributesMemoryTypeId(attributes, &id) == nil)
        #expect(TRITONSERVER_BufferAttributesMemoryType(attributes, &type) == nil)
        #expect(TRITONSERVER_BufferAttributesByteSize(attributes, &size) == nil)
        #expect(id == 3 && type == TRITONSERVER_MEMORY_GPU && size == 12)
        #expect(TRITONSERVER_BufferAttributesDelete(attributes) == nil)
    }
}

import CTriton
import Tensors
import Testing

@Suite("Names of what the C interface numbers")
struct NameTests {
    private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "NULL" }

    @Test("Each number has its name, and another is said to have none")
    func names() {
        let numbers = UInt32(0)..<5
        #expect(
            numbers.map { text(TRITONSERVER_MemoryTypeString(TRITONSERVER_MemoryType(rawValue: $0))) }
                == ["CPU", "CPU_PINNED", "GPU", "<invalid>", "<invalid>"])
        #expect(
            numbers.map { text(TRITONSERVER_ParameterTypeString(TRITONSERVER_ParameterType(rawValue: $0))) }
                == ["STRING", "INT", "BOOL", "DOUBLE", "BYTES"])
        #expect(text(TRITONSERVER_ParameterTypeString(TRITONSERVER_ParameterType(rawValue: 5))) == "<invalid>")
        #expect(
            numbers.map { text(TRITONSERVER_InstanceGroupKindString(TRITONSERVER_InstanceGroupKind(rawValue: $0))) }
                == ["AUTO", "CPU", "GPU", "MODEL", "<invalid>"])
        #expect(
            numbers.map { text(TRITONSERVER_InferenceTraceLevelString(TRITONSERVER_InferenceTraceLevel(rawValue: $0))) }
                == ["DISABLED", "MIN", "MAX", "<unknown>", "TIMESTAMPS"])
        #expect(
            text(TRITONSERVER_InferenceTraceActivityString(TRITONSERVER_InferenceTraceActivity(rawValue: 99)))
                == "<unknown>")
        #expect(text(TRITONSERVER_DataTypeString(TRITONSERVER_DataType(rawValue: 15))) == "<invalid>")
        #expect(TRITONSERVER_DataTypeByteSize(TRITONSERVER_DataType(rawValue: 15)) == 0)
        #expect(TRITONSERVER_StringToDataType("FP128") == TRITONSERVER_TYPE_INVALID)
        #expect(TRITONSERVER_StringToDataType(nil) == TRITONSERVER_TYPE_INVALID)
    }

    @Test("The interface has a version, and parameters of bytes and of no kind")
    func rest() throws {
        var (major, minor) = (UInt32(0), UInt32(0))
        try check(TRITONSERVER_ApiVersion(&major, &minor))
        #expect(major == UInt32(TRITONSERVER_API_VERSION_MAJOR) && minor == UInt32(TRITONSERVER_API_VERSION_MINOR))
        var bytes: [UInt8] = [1, 2]
        let parameter = TRITONSERVER_ParameterBytesNew("file:1/model.bin", &bytes, 2)
        #expect(parameter != nil)
        TRITONSERVER_ParameterDelete(parameter)
        #expect(TRITONSERVER_ParameterBytesNew(nil, &bytes, 2) == nil)
        #expect(TRITONSERVER_ParameterBytesNew("name", nil, 2) == nil)
        #expect(TRITONSERVER_ParameterNew("name", TRITONSERVER_ParameterType(rawValue: 9), &bytes) == nil)
        #expect(TRITONSERVER_ParameterNew("name", TRITONSERVER_PARAMETER_INT, nil) == nil)
        // Neither NULL nor what is no handle is anybody's.
        TRITONSERVER_ParameterDelete(nil)
        TRITONSERVER_ErrorDelete(nil)
        TRITONSERVER_ErrorDelete(OpaquePointer(bitPattern: 1))
        #expect(TRITONSERVER_ErrorCode(nil) == TRITONSERVER_ERROR_UNKNOWN)
        #expect(text(TRITONSERVER_ErrorCodeString(nil)) == "Unknown")
        let odd = TRITONSERVER_ErrorNew(TRITONSERVER_Error_Code(rawValue: 99), nil)
        #expect(TRITONSERVER_ErrorCode(odd) == TRITONSERVER_ERROR_UNKNOWN)
        #expect(text(TRITONSERVER_ErrorMessage(odd)) == "")
        TRITONSERVER_ErrorDelete(odd)
    }
}

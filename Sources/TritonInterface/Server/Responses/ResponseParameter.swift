internal import CTriton
internal import ModelRuntime

/// A parameter of a response, as C reads it.
final class ResponseParameter: @unchecked Sendable {
    let name: CText
    let type: TRITONSERVER_ParameterType
    private let text: CText?
    private let value: UnsafeMutableRawPointer

    init(_ parameter: InferenceParameter) {
        name = CText(parameter.name)
        value = .allocate(byteCount: 8, alignment: 8)
        switch parameter.value {
        case .bool(let flag):
            (type, text) = (TRITONSERVER_PARAMETER_BOOL, nil)
            value.storeBytes(of: flag ? 1 : 0, as: UInt64.self)
        case .integer(let number):
            (type, text) = (TRITONSERVER_PARAMETER_INT, nil)
            value.storeBytes(of: number, as: Int64.self)
        case .number(let number):
            (type, text) = (TRITONSERVER_PARAMETER_DOUBLE, nil)
            value.storeBytes(of: number, as: Double.self)
        // The interface has no number that large.
        case .unsigned(let number): (type, text) = (TRITONSERVER_PARAMETER_STRING, CText(String(number)))
        case .string(let string): (type, text) = (TRITONSERVER_PARAMETER_STRING, CText(string))
        }
    }

    deinit { value.deallocate() }

    var pointer: UnsafeRawPointer { text.map { UnsafeRawPointer($0.pointer) } ?? UnsafeRawPointer(value) }
}

internal import ModelRepository
internal import ModelRuntime
internal import Tensors

/// What a program has a model loaded with.
enum LoadParameters {
    /// - Parameter parameters: handles, as many as `count`.
    /// - Returns: what takes the place of the model's own configuration and files; `nil` for neither.
    /// - Throws: `invalidArgument` for a pointer that is no parameter, and as ``LoadRequest``.
    static func override(
        _ parameters: UnsafeMutablePointer<OpaquePointer?>?, _ count: UInt64, model: String
    ) throws(HalcyonError) -> ModelOverride? {
        guard count > 0 else { return nil }
        guard let parameters else {
            throw HalcyonError(.invalidArgument, "'parameters' is NULL, expected \(count) parameters")
        }
        guard count <= ModelOverride.maximumFileCount + 1 else {
            throw HalcyonError(.invalidArgument, "'parameter_count' is \(count), more than a model can be loaded with")
        }
        var values: [String: LoadRequest.Value] = [:]
        for index in 0..<Int(count) {
            let parameter: ParameterObject = try Handles.object(parameters[index], "parameters[\(index)]")
            values[parameter.name] = value(parameter.value)
        }
        return try LoadRequest(values, model: model).override
    }

    private static func value(_ value: ParameterObject.Value) -> LoadRequest.Value {
        switch value {
        case .plain(.string(let text)): .text(text)
        case .plain: .other
        // Loading takes as long as the call, and the engine may go on reading after it.
        case .bytes(let base, let count):
            .bytes(
                TensorBuffer(copying: UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: base), count: count)))
        }
    }
}

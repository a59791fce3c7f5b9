/// What an engine is to run a model with beside its own means (`optimization.execution_accelerators`).
public struct ExecutionAccelerator: Hashable, Sendable {
    /// `tensorrt` or `cuda` for a GPU, `openvino` for the processor.
    public var name: String
    /// Its settings, by the reference's names.
    public var parameters: [String: String]

    public init(name: String, parameters: [String: String] = [:]) {
        self.name = name
        self.parameters = parameters
    }
}

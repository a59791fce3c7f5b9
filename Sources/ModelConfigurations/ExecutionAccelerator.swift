/// What an engine is to run a model with beside its own means (`optimization.execution_accelerators`).
public struct ExecutionAccelerator: Hashable, Sendable {
    /// `tensorrt` or `cuda` for a GPU, `openvino` for the processor.
    public var name: String
    /// Its settings, by Triton's names.
    public var parameters: [String: String]

    /// An accelerator with these settings; without any, the engine's own.
    public init(name: String, parameters: [String: String] = [:]) {
        self.name = name
        self.parameters = parameters
    }
}

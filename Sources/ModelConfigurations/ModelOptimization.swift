/// The part of `optimization` that the engines act on.
public struct ModelOptimization: Hashable, Sendable {
    /// Whether the next batch is gathered before an instance is free to run it.
    public var eagerBatching: Bool
    /// `graph.level`, how far ONNX Runtime rewrites the model's graph: 0 for all it can, 1 for basic and extended, −1
    /// for basic, 2 for nothing. Other backends do not take it.
    public var graphLevel: Int
    /// What instances on GPUs run with, the first first (`execution_accelerators.gpu_execution_accelerator`).
    public var gpuAccelerators: [ExecutionAccelerator] = []
    /// What instances on the processor run with.
    public var cpuAccelerators: [ExecutionAccelerator] = []

    /// Optimization by the engine's own rules, unless the arguments say otherwise.
    public init(eagerBatching: Bool = false, graphLevel: Int = 0) {
        self.eagerBatching = eagerBatching
        self.graphLevel = graphLevel
    }
}

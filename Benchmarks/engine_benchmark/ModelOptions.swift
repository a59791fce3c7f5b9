internal import ArgumentParser
internal import Halcyon

/// Which model is measured, and what it is fed with.
struct ModelOptions: ParsableArguments {
    @Option(help: "The folder that holds backends/.")
    var backends: String

    @Option(help: "The model repository.")
    var repository: String

    @Option(help: "The model's name.")
    var model: String

    @Flag(help: "Run the model in a process of its own.")
    var isolated = false

    func server(cache: String? = nil) throws -> InferenceServer {
        var options = ServerOptions(repositoryPaths: [repository])
        options.modelControlMode = .explicit
        options.backendDirectory = "\(backends)/backends"
        options.isolation = isolated ? .process : .none
        if let cache { options.backendConfiguration["openvino"] = ["CACHE_DIR": cache] }
        return try InferenceServer(options)
    }

    /// A request for one item whose bytes are all alike, which is as good as any for a network without branches.
    func request(_ server: InferenceServer) throws -> InferenceRequest {
        let configuration = try server.modelConfiguration(model)
        let inputs = try configuration.inputs.map { input in
            let shape =
                configuration.maxBatchSize > 0 ? TensorShape([1] + input.dimensions.dimensions) : input.dimensions
            let storage = TensorStorage.allocate(byteCount: try shape.byteCount(of: input.elementType))
            storage.baseAddress.initializeMemory(as: UInt8.self, repeating: 0x3C, count: storage.byteCount)
            return try Tensor(
                name: input.name, elementType: input.elementType, shape: shape, data: TensorBuffer(storage))
        }
        return InferenceRequest(modelName: model, inputs: inputs)
    }
}

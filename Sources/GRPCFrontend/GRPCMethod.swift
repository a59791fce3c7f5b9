internal import KServeProtocol

/// The methods that the server has. Every one belongs to a part of the protocol, by which access is decided.
enum GRPCMethod: Hashable {
    case inference(Inference)
    case healthCheck
    case healthWatch
    case reflection

    /// The methods of `inference.GRPCInferenceService`, by name.
    enum Inference: String, CaseIterable {
        case serverLive = "ServerLive"
        case serverReady = "ServerReady"
        case modelReady = "ModelReady"
        case serverMetadata = "ServerMetadata"
        case modelMetadata = "ModelMetadata"
        case modelInfer = "ModelInfer"
        case modelStreamInfer = "ModelStreamInfer"
        case modelConfig = "ModelConfig"
        case modelStatistics = "ModelStatistics"
        case repositoryIndex = "RepositoryIndex"
        case repositoryModelLoad = "RepositoryModelLoad"
        case repositoryModelUnload = "RepositoryModelUnload"
        case systemSharedMemoryStatus = "SystemSharedMemoryStatus"
        case systemSharedMemoryRegister = "SystemSharedMemoryRegister"
        case systemSharedMemoryUnregister = "SystemSharedMemoryUnregister"
        case cudaSharedMemoryStatus = "CudaSharedMemoryStatus"
        case cudaSharedMemoryRegister = "CudaSharedMemoryRegister"
        case cudaSharedMemoryUnregister = "CudaSharedMemoryUnregister"
        case traceSetting = "TraceSetting"
        case logSettings = "LogSettings"
    }

    static let inferenceService = "inference.GRPCInferenceService"
    static let healthService = "grpc.health.v1.Health"
    static let reflectionServices = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

    private static let byPath: [String: GRPCMethod] = {
        var methods: [String: GRPCMethod] = [
            "/\(healthService)/Check": .healthCheck, "/\(healthService)/Watch": .healthWatch,
        ]
        for method in Inference.allCases { methods["/\(inferenceService)/\(method.rawValue)"] = .inference(method) }
        for service in reflectionServices { methods["/\(service)/ServerReflectionInfo"] = .reflection }
        return methods
    }()

    /// The method of a path, or `nil` where there is none.
    init?(path: String) {
        guard let method = Self.byPath[path] else { return nil }
        self = method
    }

    /// `nil` for what shows nothing of the server but its methods.
    var group: APIGroup? {
        switch self {
        case .healthCheck, .healthWatch: .health
        case .reflection: nil
        case .inference(let method):
            switch method {
            case .serverLive, .serverReady, .modelReady: .health
            case .serverMetadata, .modelMetadata: .metadata
            case .modelInfer, .modelStreamInfer: .inference
            case .modelConfig: .modelConfiguration
            case .modelStatistics: .statistics
            case .repositoryIndex, .repositoryModelLoad, .repositoryModelUnload: .modelRepository
            case .systemSharedMemoryStatus, .systemSharedMemoryRegister, .systemSharedMemoryUnregister,
                .cudaSharedMemoryStatus, .cudaSharedMemoryRegister, .cudaSharedMemoryUnregister:
                .sharedMemory
            case .traceSetting: .trace
            case .logSettings: .logging
            }
        }
    }

    /// Whether its messages bring tensors, which stay where they are.
    var isInference: Bool { self == .inference(.modelInfer) || self == .inference(.modelStreamInfer) }

    /// Bytes that a message may have: few, where it brings neither tensors nor files.
    ///
    /// - Parameter most: of any method.
    func messageLimit(most: Int) -> Int {
        isInference || self == .inference(.repositoryModelLoad) ? most : min(most, Self.smallMessage)
    }

    private static let smallMessage = 1 << 20

    /// Whether the client may send more than one message.
    var isClientStreaming: Bool { self == .inference(.modelStreamInfer) || self == .reflection }
}

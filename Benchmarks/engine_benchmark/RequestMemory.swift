internal import ArgumentParser
internal import Halcyon

/// Where the tensors of requests live.
enum RequestMemory: String, ExpressibleByArgument, CaseIterable {
    case system
    case pinned
    case gpu
    /// Where the model reads inputs without another copy.
    case model

    /// The request with its inputs there, and its outputs wanted there.
    func applied(to request: InferenceRequest, _ server: InferenceServer) throws -> InferenceRequest {
        switch self {
        case .system: return request
        case .model: return try placedForModel(request, server)
        case .pinned, .gpu: break
        }
        let placement = self == .gpu ? MemoryPlacement.gpu(try server.gpuNames().keys.min() ?? 0) : .pinned
        var request = request
        for index in request.inputs.indices {
            request.inputs[index].data = try server.place(request.inputs[index].data, in: placement)
        }
        request.outputPlacement = placement
        return request
    }

    private func placedForModel(
        _ request: InferenceRequest, _ server: InferenceServer
    ) throws -> InferenceRequest {
        var request = request
        for index in request.inputs.indices {
            request.inputs[index].data = try server.place(
                request.inputs[index].data, forInputsOf: request.modelName)
        }
        return request
    }
}

public import CTriton
internal import ModelConfigurations
internal import Tensors

func model(_ pointer: OpaquePointer?) throws(HalcyonError) -> ModelObject {
    try Handles.object(pointer, as: ModelReference.self, "model").model
}

@c @implementation public func TRITONBACKEND_ModelName(
    _ model: OpaquePointer?, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(name, "name").pointee = try TritonInterface.model(model).name.pointer
    }
}

@c @implementation public func TRITONBACKEND_ModelVersion(
    _ model: OpaquePointer?, _ version: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(version, "version").pointee = UInt64(clamping: try TritonInterface.model(model).version)
    }
}

@c @implementation public func TRITONBACKEND_ModelRepository(
    _ model: OpaquePointer?, _ artifact_type: UnsafeMutablePointer<TRITONBACKEND_ArtifactType>?,
    _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model = try TritonInterface.model(model)
        try place(artifact_type, "artifact_type").pointee = TRITONBACKEND_ARTIFACT_FILESYSTEM
        try place(location, "location").pointee = model.folder.pointer
    }
}

@c @implementation public func TRITONBACKEND_ModelConfig(
    _ model: OpaquePointer?, _ config_version: UInt32, _ model_config: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model = try TritonInterface.model(model)
        try checkVersion(config_version)
        try place(model_config, "model_config").pointee = try MessageObject.give(model.configuration.jsonValue)
    }
}

private func checkVersion(_ version: UInt32) throws(HalcyonError) {
    guard version == 1 else {
        throw HalcyonError(.unsupported, "model configurations have version 1, and version \(version) was asked for")
    }
}

@c @implementation public func TRITONBACKEND_ModelAutoCompleteConfig(
    _ model: OpaquePointer?, _ auto_complete_config: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model = try TritonInterface.model(model)
        try place(auto_complete_config, "auto_complete_config").pointee = model.completesConfiguration
    }
}

@c @implementation public func TRITONBACKEND_ModelSetConfig(
    _ model: OpaquePointer?, _ config_version: UInt32, _ model_config: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model = try TritonInterface.model(model)
        try checkVersion(config_version)
        let message = try Handles.object(model_config, as: MessageObject.self, "model_config")
        try model.complete(message.bytes)
    }
}

@c @implementation public func TRITONBACKEND_ModelServer(
    _ model: OpaquePointer?, _ server: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let own = try TritonInterface.model(model).server else {
            throw HalcyonError(.unavailable, "the model is looked at only, by no server")
        }
        try place(server, "server").pointee = own
    }
}

@c @implementation public func TRITONBACKEND_ModelBackend(
    _ model: OpaquePointer?, _ backend: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(backend, "backend").pointee = try TritonInterface.model(model).backend.handle
    }
}

@c @implementation public func TRITONBACKEND_ModelState(
    _ model: OpaquePointer?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(state, "state").pointee = try TritonInterface.model(model).userState
    }
}

@c @implementation public func TRITONBACKEND_ModelSetState(
    _ model: OpaquePointer?, _ state: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try TritonInterface.model(model).userState = state }
}

@c @implementation public func TRITONBACKEND_ModelReportMemoryUsage(
    _ model: OpaquePointer?, _ usage: UnsafeMutablePointer<OpaquePointer?>?, _ usage_size: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.model(model).report(try memoryUsage(usage, usage_size))
    }
}

/// What a backend says of the memory that it uses. The attributes stay the backend's.
func memoryUsage(
    _ usage: UnsafeMutablePointer<OpaquePointer?>?, _ count: UInt32
) throws(HalcyonError) -> [ModelObject.ModelMemory] {
    guard usage != nil || count == 0, count < 1 << 16 else {
        throw HalcyonError(.invalidArgument, "'usage' is NULL, expected \(count) attributes of memory")
    }
    var memory: [ModelObject.ModelMemory] = []
    for index in 0..<Int(count) {
        let value = try Handles.object(usage?[index], as: BufferAttributesObject.self, "usage[\(index)]").value
        memory.append(ModelObject.ModelMemory(placement: value.placement, byteCount: value.byteCount))
    }
    return memory
}

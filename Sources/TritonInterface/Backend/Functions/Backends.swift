public import CTriton
internal import Tensors

func backend(_ pointer: OpaquePointer?) throws(HalcyonError) -> BackendObject {
    try Handles.object(pointer, as: BackendReference.self, "backend").backend
}

@c @implementation public func TRITONBACKEND_ApiVersion(
    _ major: UnsafeMutablePointer<UInt32>?, _ minor: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(major, "major").pointee = UInt32(TRITONBACKEND_API_VERSION_MAJOR)
        try place(minor, "minor").pointee = UInt32(TRITONBACKEND_API_VERSION_MINOR)
    }
}

@c @implementation public func TRITONBACKEND_BackendName(
    _ backend: OpaquePointer?, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(name, "name").pointee = try TritonInterface.backend(backend).name.pointer
    }
}

@c @implementation public func TRITONBACKEND_BackendConfig(
    _ backend: OpaquePointer?, _ backend_config: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(backend_config, "backend_config").pointee = try TritonInterface.backend(backend).configuration
    }
}

@c @implementation public func TRITONBACKEND_BackendExecutionPolicy(
    _ backend: OpaquePointer?, _ policy: UnsafeMutablePointer<TRITONBACKEND_ExecutionPolicy>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(policy, "policy").pointee = try TritonInterface.backend(backend).policy
    }
}

@c @implementation public func TRITONBACKEND_BackendSetExecutionPolicy(
    _ backend: OpaquePointer?, _ policy: TRITONBACKEND_ExecutionPolicy
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try TritonInterface.backend(backend).setPolicy(policy) }
}

@c @implementation public func TRITONBACKEND_BackendArtifacts(
    _ backend: OpaquePointer?, _ artifact_type: UnsafeMutablePointer<TRITONBACKEND_ArtifactType>?,
    _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let backend = try TritonInterface.backend(backend)
        try place(artifact_type, "artifact_type").pointee = TRITONBACKEND_ARTIFACT_FILESYSTEM
        try place(location, "location").pointee = backend.folder.pointer
    }
}

@c @implementation public func TRITONBACKEND_BackendMemoryManager(
    _ backend: OpaquePointer?, _ manager: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(manager, "manager").pointee = try TritonInterface.backend(backend).memoryManager
    }
}

@c @implementation public func TRITONBACKEND_BackendState(
    _ backend: OpaquePointer?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(state, "state").pointee = try TritonInterface.backend(backend).userState
    }
}

@c @implementation public func TRITONBACKEND_BackendSetState(
    _ backend: OpaquePointer?, _ state: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try TritonInterface.backend(backend).userState = state }
}

@c @implementation public func TRITONBACKEND_BackendAttributeAddPreferredInstanceGroup(
    _ backend_attributes: OpaquePointer?, _ kind: TRITONSERVER_InstanceGroupKind, _ count: UInt64,
    _ device_ids: UnsafePointer<UInt64>?, _ id_count: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let attributes = try Handles.object(
            backend_attributes, as: BackendAttributeObject.self, "backend_attributes")
        guard let devices = Int(exactly: id_count), devices < 1 << 16, device_ids != nil || devices == 0 else {
            throw HalcyonError(.invalidArgument, "'device_ids' is NULL, expected \(id_count) of them")
        }
        attributes.backend.prefer(
            BackendObject.PreferredGroup(
                kind: kind.rawValue, count: count, devices: (0..<devices).compactMap { device_ids?[$0] }))
    }
}

@c @implementation public func TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(
    _ backend_attributes: OpaquePointer?, _ enabled: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try Handles.object(backend_attributes, as: BackendAttributeObject.self, "backend_attributes")
            .backend.setLoadsInParallel(enabled)
    }
}

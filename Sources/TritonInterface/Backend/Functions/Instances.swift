public import CTriton
internal import ModelRuntime
internal import Tensors

func instance(_ pointer: OpaquePointer?) throws(HalcyonError) -> InstanceObject {
    try Handles.object(pointer, as: InstanceReference.self, "instance").instance
}

@c @implementation public func TRITONBACKEND_ModelInstanceName(
    _ instance: OpaquePointer?, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(name, "name").pointee = try TritonInterface.instance(instance).name.pointer
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceKind(
    _ instance: OpaquePointer?, _ kind: UnsafeMutablePointer<TRITONSERVER_InstanceGroupKind>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(kind, "kind").pointee = try TritonInterface.instance(instance).tritonKind
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceDeviceId(
    _ instance: OpaquePointer?, _ device_id: UnsafeMutablePointer<Int32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let gpu = try TritonInterface.instance(instance).identity.gpu
        try place(device_id, "device_id").pointee = Int32(clamping: gpu ?? 0)
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceHostPolicy(
    _ instance: OpaquePointer?, _ host_policy: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(host_policy, "host_policy").pointee = try TritonInterface.instance(instance).policy
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceIsPassive(
    _ instance: OpaquePointer?, _ is_passive: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        try place(is_passive, "is_passive").pointee = false
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceProfileCount(
    _ instance: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        try place(count, "count").pointee = 0
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceProfileName(
    _ instance: OpaquePointer?, _ index: UInt32, _ profile_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        throw HalcyonError(.invalidArgument, "there is no profile number \(index): instances have none")
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceSecondaryDeviceCount(
    _ instance: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        try place(count, "count").pointee = 0
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceSecondaryDeviceProperties(
    _ instance: OpaquePointer?, _ index: UInt32, _ kind: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ id: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        _ = try TritonInterface.instance(instance)
        throw HalcyonError(.invalidArgument, "there is no secondary device number \(index): instances have none")
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceModel(
    _ instance: OpaquePointer?, _ model: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(model, "model").pointee = try TritonInterface.instance(instance).model.handle
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceState(
    _ instance: OpaquePointer?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(state, "state").pointee = try TritonInterface.instance(instance).userState
    }
}

@c @implementation public func TRITONBACKEND_ModelInstanceSetState(
    _ instance: OpaquePointer?, _ state: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try TritonInterface.instance(instance).userState = state }
}

@c @implementation public func TRITONBACKEND_ModelInstanceReportMemoryUsage(
    _ instance: OpaquePointer?, _ usage: UnsafeMutablePointer<OpaquePointer?>?, _ usage_size: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try TritonInterface.instance(instance).model.report(try memoryUsage(usage, usage_size))
    }
}

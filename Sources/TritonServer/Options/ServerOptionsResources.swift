public import CTriton
internal import Tensors
internal import TritonInterface

@c @implementation public func TRITONSERVER_ServerOptionsSetRateLimiterMode(
    _ options: OpaquePointer?, _ mode: TRITONSERVER_RateLimitMode
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(rateLimiterMode: mode.rawValue) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsAddRateLimiterResource(
    _ options: OpaquePointer?, _ resource_name: UnsafePointer<CChar>?, _ resource_count: Int, _ device: Int32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let resource_name = try text(resource_name, "resource_name")
        try change(options) { settings throws(HalcyonError) in
            try settings.addResource(resource_name, count: resource_count, device: device)
        }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetPinnedMemoryPoolByteSize(
    _ options: OpaquePointer?, _ size: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(pinnedPool: size) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetCudaMemoryPoolByteSize(
    _ options: OpaquePointer?, _ gpu_device: Int32, _ size: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(pool: size, ofGPU: gpu_device) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetCudaVirtualAddressSize(
    _ options: OpaquePointer?, _ gpu_device: Int32, _ cuda_virtual_address_size: Int
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in
            try settings.set(virtualAddresses: cuda_virtual_address_size, ofGPU: gpu_device)
        }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetMinSupportedComputeCapability(
    _ options: OpaquePointer?, _ cc: Double
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(computeCapability: cc) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetEnablePeerAccess(
    _ options: OpaquePointer?, _ enable_peer_access: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.allowsPeerAccess = enable_peer_access } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetBufferManagerThreadCount(
    _ options: OpaquePointer?, _ thread_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(bufferManagerThreads: thread_count) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelLoadDeviceLimit(
    _ options: OpaquePointer?, _ kind: TRITONSERVER_InstanceGroupKind, _ device_id: Int32, _ fraction: Double
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in
            try settings.set(deviceLimit: fraction, kind: kind.rawValue, device: device_id)
        }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetResponseCacheByteSize(
    _ options: OpaquePointer?, _ size: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(cacheByteSize: size) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetCacheConfig(
    _ options: OpaquePointer?, _ cache_name: UnsafePointer<CChar>?, _ config_json: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let cache_name = try text(cache_name, "cache_name")
        let config_json = try text(config_json, "config_json")
        try change(options) { settings throws(HalcyonError) in try settings.set(cache: cache_name, json: config_json) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetCacheDirectory(
    _ options: OpaquePointer?, _ cache_dir: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let cache_dir = try text(cache_dir, "cache_dir")
        try change(options) { settings throws(HalcyonError) in try settings.set(cacheDirectory: cache_dir) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetHostPolicy(
    _ options: OpaquePointer?, _ policy_name: UnsafePointer<CChar>?, _ setting: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let policy_name = try text(policy_name, "policy_name")
        let setting = try text(setting, "setting")
        let value = try text(value, "value")
        try change(options) { settings throws(HalcyonError) in try settings.set(hostPolicy: policy_name, setting, value)
        }
    }
}

internal import CTriton
internal import Tensors
internal import TritonInterface

@c @implementation public func TRITONSERVER_ServerOptionsSetBackendDirectory(
    _ options: OpaquePointer?, _ backend_dir: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let backend_dir = try text(backend_dir, "backend_dir")
        try change(options) { settings throws(HalcyonError) in try settings.set(backendDirectory: backend_dir) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetBackendConfig(
    _ options: OpaquePointer?, _ backend_name: UnsafePointer<CChar>?, _ setting: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let backend_name = try text(backend_name, "backend_name")
        let setting = try text(setting, "setting")
        let value = try text(value, "value")
        try change(options) { settings throws(HalcyonError) in try settings.set(backend: backend_name, setting, value) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetRepoAgentDirectory(
    _ options: OpaquePointer?, _ repoagent_dir: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let repoagent_dir = try text(repoagent_dir, "repoagent_dir")
        try change(options) { settings throws(HalcyonError) in try settings.set(agentDirectory: repoagent_dir) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetMetrics(
    _ options: OpaquePointer?, _ metrics: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.metrics.isOn = metrics } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetGpuMetrics(
    _ options: OpaquePointer?, _ gpu_metrics: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.metrics.showsGPUs = gpu_metrics } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetCpuMetrics(
    _ options: OpaquePointer?, _ cpu_metrics: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.metrics.showsMachine = cpu_metrics } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetMetricsInterval(
    _ options: OpaquePointer?, _ metrics_interval_ms: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(metricsInterval: metrics_interval_ms) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetMetricsConfig(
    _ options: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ setting: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let name = try text(name, "name")
        let setting = try text(setting, "setting")
        let value = try text(value, "value")
        try change(options) { settings throws(HalcyonError) in try settings.set(metrics: name, setting, value) }
    }
}

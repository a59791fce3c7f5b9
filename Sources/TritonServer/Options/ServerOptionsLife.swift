public import CTriton
internal import Halcyon
internal import Tensors
internal import TritonInterface

@c @implementation public func TRITONSERVER_ServerOptionsNew(
    _ options: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(options, "options")
        place.pointee = try Handles.give(ServerOptionsObject(ServerOptionsState()))
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsDelete(_ options: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(options, as: ServerOptionsObject.self, "options") }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetServerId(
    _ options: OpaquePointer?, _ server_id: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let server_id = try text(server_id, "server_id")
        try change(options) { $0.id = server_id }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelRepositoryPath(
    _ options: OpaquePointer?, _ model_repository_path: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model_repository_path = try text(model_repository_path, "model_repository_path")
        try change(options) { settings throws(HalcyonError) in try settings.addRepository(model_repository_path) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelControlMode(
    _ options: OpaquePointer?, _ mode: TRITONSERVER_ModelControlMode
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(controlMode: mode.rawValue) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetStartupModel(
    _ options: OpaquePointer?, _ model_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model_name = try text(model_name, "model_name")
        try change(options) { settings throws(HalcyonError) in try settings.addStartupModel(model_name) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetStrictModelConfig(
    _ options: OpaquePointer?, _ strict: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.engine.completesConfigurations = !strict } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelConfigName(
    _ options: OpaquePointer?, _ model_config_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let model_config_name = try text(model_config_name, "model_config_name")
        try change(options) { $0.engine.modelConfigurationName = model_config_name }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetExitOnError(
    _ options: OpaquePointer?, _ exit: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.exitsOnError = exit } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetStrictReadiness(
    _ options: OpaquePointer?, _ strict: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.engine.isReadinessStrict = strict } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetExitTimeout(
    _ options: OpaquePointer?, _ timeout: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.engine.exitTimeout = .seconds(Int64(timeout)) } }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelLoadThreadCount(
    _ options: OpaquePointer?, _ thread_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(loadThreads: thread_count) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelLoadRetryCount(
    _ options: OpaquePointer?, _ retry_count: UInt32
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try change(options) { settings throws(HalcyonError) in try settings.set(loadRetries: retry_count) }
    }
}

@c @implementation public func TRITONSERVER_ServerOptionsSetModelNamespacing(
    _ options: OpaquePointer?, _ enable_namespace: Bool
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try change(options) { $0.engine.allowsSameModelNames = enable_namespace } }
}

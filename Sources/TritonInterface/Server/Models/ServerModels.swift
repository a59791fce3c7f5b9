internal import CTriton
internal import Logging
internal import ModelRepository
internal import ModelRuntime
package import Tensors

private func models(_ server: OpaquePointer?) throws(HalcyonError) -> any ServedModels {
    try ServerObject.at(server).models
}

/// The version that a caller gave: `nil` for -1, whichever the model's policy says.
///
/// - Throws: `invalidArgument` for a version that there can't be.
package func version(_ number: Int64) throws(HalcyonError) -> Int64? {
    guard number >= -1 else {
        throw HalcyonError(
            .invalidArgument, "'model_version' is \(number), expected a version, or -1 for the model's policy")
    }
    return number == -1 ? nil : number
}

@c @implementation public func TRITONSERVER_ServerModelIsReady(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64,
    _ ready: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(ready, "ready")
        place.pointee = try models(server).isModelReady(
            try text(model_name, "model_name"), version: try version(model_version))
    }
}

@c @implementation public func TRITONSERVER_ServerModelTransactionProperties(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64,
    _ txn_flags: UnsafeMutablePointer<UInt32>?, _ voidp: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(txn_flags, "txn_flags")
        let facts = try models(server).facts(try text(model_name, "model_name"), version: try version(model_version))
        voidp?.pointee = nil
        place.pointee = (facts.isDecoupled ? TRITONSERVER_TXN_DECOUPLED : TRITONSERVER_TXN_ONE_TO_ONE).rawValue
    }
}

@c @implementation public func TRITONSERVER_ServerModelBatchProperties(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64,
    _ flags: UnsafeMutablePointer<UInt32>?, _ voidp: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(flags, "flags")
        let facts = try models(server).facts(try text(model_name, "model_name"), version: try version(model_version))
        voidp?.pointee = nil
        place.pointee = (facts.maxBatchSize > 0 ? TRITONSERVER_BATCH_FIRST_DIM : TRITONSERVER_BATCH_UNKNOWN).rawValue
    }
}

/// Loads a model. Of one that no repository has, or several have, programs get Triton's own words, which they compare,
/// and its code; why stands in the log.
private func load(
    _ name: String, override: ModelOverride?, on models: any ServedModels
) throws(HalcyonError) {
    do throws(HalcyonError) {
        try models.load(name, override: override)
    } catch {
        let words = "failed to load '\(name)', failed to poll from model repository"
        let isMissing = error.code == .notFound && error.message.hasPrefix(words)
        guard isMissing || error.message.hasPrefix("failed to load '\(name)', model name must be unique") else {
            throw error
        }
        InterfaceLog.logger?.error("a model can't be loaded", metadata: ["model": "\(name)", "reason": "\(error)"])
        throw HalcyonError(.internal, words)
    }
}

@c @implementation public func TRITONSERVER_ServerLoadModel(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try load(try text(model_name, "model_name"), override: nil, on: try models(server))
    }
}

@c @implementation public func TRITONSERVER_ServerLoadModelWithParameters(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ parameters: UnsafeMutablePointer<OpaquePointer?>?,
    _ parameter_count: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let models = try models(server)
        let name = try text(model_name, "model_name")
        try load(
            name, override: try LoadParameters.override(parameters, parameter_count, model: name), on: models)
    }
}

@c @implementation public func TRITONSERVER_ServerUnloadModel(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try models(server).unload(try text(model_name, "model_name"), dependents: false)
    }
}

@c @implementation public func TRITONSERVER_ServerUnloadModelAndDependents(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try models(server).unload(try text(model_name, "model_name"), dependents: true)
    }
}

public import CTriton
internal import Halcyon
internal import JSONText
internal import KServeProtocol
internal import ModelConfigurations
internal import Tensors
internal import TritonInterface

/// A server that answers for itself, whoever has started it.
private func engine(_ server: OpaquePointer?) throws(HalcyonError) -> InferenceServer {
    let object = try ServerObject.at(server)
    guard let engine = object.models as? InferenceServer else {
        throw HalcyonError(.unsupported, "the server can't be asked from here")
    }
    return engine
}

/// Hands out a document.
private func give(
    _ document: JSONValue, _ message: UnsafeMutablePointer<OpaquePointer?>
) throws(HalcyonError) {
    message.pointee = try Handles.give(MessageObject(document.compact))
}

@c @implementation public func TRITONSERVER_ServerIsLive(
    _ server: OpaquePointer?, _ live: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(live, "live").pointee = try engine(server).isLive }
}

@c @implementation public func TRITONSERVER_ServerIsReady(
    _ server: OpaquePointer?, _ ready: UnsafeMutablePointer<Bool>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(ready, "ready").pointee = try engine(server).isReady }
}

@c @implementation public func TRITONSERVER_ServerMetadata(
    _ server: OpaquePointer?, _ server_metadata: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(server_metadata, "server_metadata")
        let engine = try engine(server)
        let object = try ServerObject.at(server)
        let id = (object.program as? ProgramServer)?.settings.id
        let metadata = ServerDocuments.protocolMetadata(name: id ?? engine.metadata.name)
        try give(ServerDocuments.metadata(metadata), place)
    }
}

@c @implementation public func TRITONSERVER_ServerModelMetadata(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64,
    _ model_metadata: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(model_metadata, "model_metadata")
        let name = try text(model_name, "model_name")
        let metadata = try engine(server).modelMetadata(name, version: try version(model_version))
        try give(ServerDocuments.metadata(metadata), place)
    }
}

@c @implementation public func TRITONSERVER_ServerModelStatistics(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64,
    _ model_stats: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(model_stats, "model_stats")
        let name = try text(model_name, "model_name")
        let statistics = try engine(server).statistics(
            model: name.isEmpty ? nil : name, version: try version(model_version))
        try give(statistics.jsonValue, place)
    }
}

@c @implementation public func TRITONSERVER_ServerModelConfig(
    _ server: OpaquePointer?, _ model_name: UnsafePointer<CChar>?, _ model_version: Int64, _ config_version: UInt32,
    _ model_config: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(model_config, "model_config")
        guard config_version == 1 else {
            throw HalcyonError(
                .unsupported, "model configuration version \(config_version) not supported, supported versions are: 1")
        }
        let name = try text(model_name, "model_name")
        try give(try engine(server).modelConfiguration(name, version: try version(model_version)).jsonValue, place)
    }
}

@c @implementation public func TRITONSERVER_ServerModelIndex(
    _ server: OpaquePointer?, _ flags: UInt32, _ model_index: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(model_index, "model_index")
        guard flags <= TRITONSERVER_INDEX_FLAG_READY.rawValue else {
            throw HalcyonError(.invalidArgument, "there are no index flags \(flags), expected 0 or 1 (ready)")
        }
        try give(ServerDocuments.index(try engine(server).modelIndex(), readyOnly: flags != 0), place)
    }
}

@c @implementation public func TRITONSERVER_ServerMetrics(
    _ server: OpaquePointer?, _ metrics: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(metrics, "metrics")
        let object = try ServerObject.at(server)
        let engine = try engine(server)
        let text: String
        if let program = object.program as? ProgramServer {
            text = program.metricsText
        } else {
            text = try ProgramMetrics().text(of: engine)
        }
        place.pointee = try Handles.give(MetricsObject(text))
    }
}

@c @implementation public func TRITONSERVER_MetricsDelete(_ metrics: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(metrics, as: MetricsObject.self, "metrics") }
}

@c @implementation public func TRITONSERVER_MetricsFormatted(
    _ metrics: OpaquePointer?, _ format: TRITONSERVER_MetricFormat,
    _ base: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ byte_size: UnsafeMutablePointer<Int>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let metrics = try Handles.object(metrics, as: MetricsObject.self, "metrics")
        guard format == TRITONSERVER_METRIC_PROMETHEUS else {
            throw HalcyonError(.invalidArgument, "there is no format of metrics \(format.rawValue), expected 0")
        }
        let (base, byteSize) = (try place(base, "base"), try place(byte_size, "byte_size"))
        base.pointee = metrics.text.pointer
        byteSize.pointee = metrics.byteCount
    }
}

public import CTriton
internal import Tensors

private func object(_ pointer: OpaquePointer?) throws(HalcyonError) -> InferenceTraceObject {
    try Handles.object(pointer, "trace")
}

/// Makes a trace.
private func give(
    _ trace: UnsafeMutablePointer<OpaquePointer?>?, _ level: TRITONSERVER_InferenceTraceLevel, parentID: UInt64,
    _ functions: InferenceTraceObject.Functions
) throws(HalcyonError) {
    let place = try place(trace, "trace")
    guard level.rawValue <= 15 else {
        throw HalcyonError(.invalidArgument, "there is no trace level \(level.rawValue), expected 0 to 15")
    }
    let object = InferenceTraceObject(level: level.rawValue, parentID: parentID, functions)
    let pointer = try Handles.give(object)
    object.isCalled(pointer)
    place.pointee = pointer
}

/// The names of activities and levels.
private enum Names {
    static let unknown = CText("<unknown>")
    static let activities = [
        "REQUEST_START", "QUEUE_START", "COMPUTE_START", "COMPUTE_INPUT_END", "COMPUTE_OUTPUT_START", "COMPUTE_END",
        "REQUEST_END", "TENSOR_QUEUE_INPUT", "TENSOR_BACKEND_INPUT", "TENSOR_BACKEND_OUTPUT", "CUSTOM_ACTIVITY",
    ].map { CText($0) }
    static let levels: [UInt32: CText] = [
        0: CText("DISABLED"), 1: CText("MIN"), 2: CText("MAX"), 4: CText("TIMESTAMPS"), 8: CText("TENSORS"),
    ]
}

@c @implementation public func TRITONSERVER_InferenceTraceLevelString(
    _ level: TRITONSERVER_InferenceTraceLevel
) -> UnsafePointer<CChar>? {
    (Names.levels[level.rawValue] ?? Names.unknown).pointer
}

@c @implementation public func TRITONSERVER_InferenceTraceActivityString(
    _ activity: TRITONSERVER_InferenceTraceActivity
) -> UnsafePointer<CChar>? {
    let index = Int(activity.rawValue)
    return (Names.activities.indices.contains(index) ? Names.activities[index] : Names.unknown).pointer
}

@c @implementation public func TRITONSERVER_InferenceTraceNew(
    _ trace: UnsafeMutablePointer<OpaquePointer?>?, _ level: TRITONSERVER_InferenceTraceLevel, _ parent_id: UInt64,
    _ activity_fn: TRITONSERVER_InferenceTraceActivityFn_t?, _ release_fn: TRITONSERVER_InferenceTraceReleaseFn_t?,
    _ trace_userp: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let activity_fn else { throw HalcyonError(.invalidArgument, "'activity_fn' is NULL") }
        guard let release_fn else { throw HalcyonError(.invalidArgument, "'release_fn' is NULL") }

        try give(
            trace, level, parentID: parent_id,
            .init(activity: activity_fn, tensor: nil, release: release_fn, userp: trace_userp))
    }
}

@c @implementation public func TRITONSERVER_InferenceTraceTensorNew(
    _ trace: UnsafeMutablePointer<OpaquePointer?>?, _ level: TRITONSERVER_InferenceTraceLevel, _ parent_id: UInt64,
    _ activity_fn: TRITONSERVER_InferenceTraceActivityFn_t?,
    _ tensor_activity_fn: TRITONSERVER_InferenceTraceTensorActivityFn_t?,
    _ release_fn: TRITONSERVER_InferenceTraceReleaseFn_t?, _ trace_userp: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        guard let activity_fn else { throw HalcyonError(.invalidArgument, "'activity_fn' is NULL") }
        guard let release_fn else { throw HalcyonError(.invalidArgument, "'release_fn' is NULL") }

        guard let tensor_activity_fn else { throw HalcyonError(.invalidArgument, "'tensor_activity_fn' is NULL") }
        try give(
            trace, level, parentID: parent_id,
            .init(activity: activity_fn, tensor: tensor_activity_fn, release: release_fn, userp: trace_userp))
    }
}

@c @implementation public func TRITONSERVER_InferenceTraceDelete(_ trace: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(trace, as: InferenceTraceObject.self, "trace") }
}

@c @implementation public func TRITONSERVER_InferenceTraceReportActivity(
    _ trace: OpaquePointer?, _ timestamp: UInt64, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try object(trace).report(try text(name, "name"), at: timestamp) }
}

@c @implementation public func TRITONSERVER_InferenceTraceId(
    _ trace: OpaquePointer?, _ id: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(id, "id").pointee = try object(trace).id }
}

@c @implementation public func TRITONSERVER_InferenceTraceParentId(
    _ trace: OpaquePointer?, _ parent_id: UnsafeMutablePointer<UInt64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(parent_id, "parent_id").pointee = try object(trace).parentID }
}

@c @implementation public func TRITONSERVER_InferenceTraceModelName(
    _ trace: OpaquePointer?, _ model_name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(model_name, "model_name").pointee = try object(trace).modelName }
}

@c @implementation public func TRITONSERVER_InferenceTraceModelVersion(
    _ trace: OpaquePointer?, _ model_version: UnsafeMutablePointer<Int64>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(model_version, "model_version").pointee = try object(trace).modelVersion
    }
}

@c @implementation public func TRITONSERVER_InferenceTraceRequestId(
    _ trace: OpaquePointer?, _ request_id: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(request_id, "request_id").pointee = try object(trace).requestID }
}

@c @implementation public func TRITONSERVER_InferenceTraceSpawnChildTrace(
    _ trace: OpaquePointer?, _ child_trace: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(child_trace, "child_trace")
        place.pointee = try object(trace).child().1
    }
}

@c @implementation public func TRITONSERVER_InferenceTraceSetContext(
    _ trace: OpaquePointer?, _ trace_context: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try object(trace).set(context: try text(trace_context, "trace_context")) }
}

@c @implementation public func TRITONSERVER_InferenceTraceContext(
    _ trace: OpaquePointer?, _ trace_context: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try place(trace_context, "trace_context").pointee = try object(trace).context }
}

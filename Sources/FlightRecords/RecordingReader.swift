package import JSONText
internal import Scheduling
package import Tensors

extension Recording {
    /// Reads what ``jsonValue`` writes.
    ///
    /// - Throws: `invalidArgument` that says what is missing or of the wrong kind, and where.
    package init(_ json: JSONValue) throws(HalcyonError) {
        let fields = try RecordingFields(json, at: "the recording")
        self.init(model: try fields.text("model_name"), version: 0)
        let versionText = try fields.text("model_version")
        guard let version = Int64(versionText) else {
            throw fields.complaint("model_version", "a number as a text", got: "'\(versionText)'")
        }
        self.version = version
        settings = try Settings(try fields.fields("scheduling"))
        instanceCount = try fields.integer("instance_count", 0...65536)
        instances = try fields.texts("instances")
        steps = try fields.texts("steps")
        now = try fields.count("now_ns")
        waiting = try fields.integer("waiting")
        busyInstances = try fields.integer("busy")
        capacity = try fields.integer("capacity")
        count = try fields.count("count")
        batches = try fields.list("batches").map { batch throws(HalcyonError) in try RecordedBatch(batch) }
    }

    /// Reads a recording's text.
    ///
    /// - Throws: `invalidArgument` as above, or where the text is no JSON.
    package init(text: [UInt8]) throws(HalcyonError) {
        let value: JSONValue
        do {
            value = try text.withUnsafeBytes { try JSONValue(reading: $0, depth: 16) }
        } catch {
            throw HalcyonError(
                .invalidArgument,
                "it is no recording: \(error); `halcyon explain MODEL --save FILE` writes one")
        }
        try self.init(value)
    }
}

extension Recording.Settings {
    fileprivate init(_ fields: RecordingFields) throws(HalcyonError) {
        self.init()
        maxBatchSize = try fields.integer("max_batch_size")
        isDynamic = try fields.flag("dynamic_batching")
        preferredBatchSizes = try fields.integers("preferred_batch_size")
        maxQueueDelayMicroseconds = try fields.count("max_queue_delay_microseconds")
        latencyBudgetMicroseconds = try fields.count("latency_budget_microseconds")
        preservesOrdering = try fields.flag("preserve_ordering")
        formsEagerly = try fields.flag("eager_batching")
        priorityLevels = try fields.integer("priority_levels", 0...1024)
        defaultPriorityLevel = try fields.integer("default_priority_level", 0...1024)
        otherScheduler = try fields.optionalText("scheduler")
    }
}

extension RecordedBatch {
    fileprivate init(_ fields: RecordingFields) throws(HalcyonError) {
        let reasonText = try fields.text("reason")
        guard let reason = BatchReason(rawValue: reasonText) else {
            let known = BatchReason.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.complaint("reason", "one of \(known)", got: "'\(reasonText)'")
        }
        let number = try fields.count("number")
        var outline = BatchOutline(
            instance: try fields.integer("instance", 0...65535), size: try fields.integer("size"), reason: reason,
            start: try fields.count("start_ns"), inferenceStart: try fields.count("compute_start_ns"),
            inferenceEnd: try fields.count("compute_end_ns"), end: try fields.count("end_ns"))
        guard outline.end >= outline.start else {
            throw fields.complaint("end_ns", "a time not before start_ns", got: "\(outline.end)")
        }
        outline.isOnCaller = try fields.flag("on_caller")
        outline.hasFailed = try fields.flag("failed")
        outline.leftWaiting = try fields.integer("left_waiting")
        self.init(number: number, outline, requests: [])
        requests = try fields.list("requests").map { request throws(HalcyonError) in
            RecordedRequest(
                arrival: try request.count("arrival_ns"),
                items: UInt32(try request.integer("items", 0...Int(Int32.max))),
                level: UInt32(try request.integer("level", 0...1024)),
                shape: UInt32(try request.integer("shape", 0...Int(UInt32.max))))
        }
    }
}

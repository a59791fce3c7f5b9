package import JSONText
internal import Scheduling

extension Recording {
    package var jsonValue: JSONValue {
        [
            "model_name": .string(model), "model_version": .string(String(version)),
            "scheduling": settings.jsonValue, "instance_count": .integer(Int64(instanceCount)),
            "instances": .array(instances.map { .string($0) }), "steps": .array(steps.map { .string($0) }),
            "now_ns": .count(now), "waiting": .integer(Int64(waiting)), "busy": .integer(Int64(busyInstances)),
            "capacity": .integer(Int64(capacity)), "count": .count(count),
            "batches": .array(batches.map(\.jsonValue)),
        ]
    }
}

extension Recording.Settings {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("max_batch_size", .integer(Int64(maxBatchSize))), .init("dynamic_batching", .bool(isDynamic)),
            .init("preferred_batch_size", .array(preferredBatchSizes.map { .integer(Int64($0)) })),
            .init("max_queue_delay_microseconds", .count(maxQueueDelayMicroseconds)),
            .init("latency_budget_microseconds", .count(latencyBudgetMicroseconds)),
            .init("preserve_ordering", .bool(preservesOrdering)), .init("eager_batching", .bool(formsEagerly)),
            .init("priority_levels", .integer(Int64(priorityLevels))),
            .init("default_priority_level", .integer(Int64(defaultPriorityLevel))),
        ]
        if let otherScheduler { members.append(.init("scheduler", .string(otherScheduler))) }
        return .object(members)
    }
}

extension RecordedBatch {
    fileprivate var jsonValue: JSONValue {
        [
            "number": .count(number), "instance": .integer(Int64(outline.instance)),
            "size": .integer(Int64(outline.size)), "reason": .string(outline.reason.rawValue),
            "on_caller": .bool(outline.isOnCaller), "failed": .bool(outline.hasFailed),
            "left_waiting": .integer(Int64(outline.leftWaiting)), "start_ns": .count(outline.start),
            "compute_start_ns": .count(outline.inferenceStart), "compute_end_ns": .count(outline.inferenceEnd),
            "end_ns": .count(outline.end), "requests": .array(requests.map(\.jsonValue)),
        ]
    }
}

extension RecordedRequest {
    fileprivate var jsonValue: JSONValue {
        [
            "arrival_ns": .count(arrival), "items": .integer(Int64(items)), "level": .integer(Int64(level)),
            "shape": .integer(Int64(shape)),
        ]
    }
}

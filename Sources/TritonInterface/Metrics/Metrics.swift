public import CTriton
internal import Tensors
internal import Threads

/// What a metric is made with.
package final class MetricArgumentsObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .metricArguments }
    /// A histogram's upper bounds; `nil` where none were given.
    let bounds = Locked<[Double]?>(nil)
}

/// A metric that a C program holds.
package final class MetricObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .metric }
    let family: MetricFamilyObject
    private let key: [CustomMetrics.Label]

    init(_ family: MetricFamilyObject, _ labels: [CustomMetrics.Label], bounds: [Double]) throws(HalcyonError) {
        self.family = family
        try family.metricMade()
        key = CustomMetrics.shared.addMetric(family.name, labels, bounds: bounds)
    }

    deinit {
        CustomMetrics.shared.removeMetric(family.name, key)
        family.metricDeleted()
    }

    var value: Double { CustomMetrics.shared.value(family.name, key) }

    func change(_ body: (inout CustomMetrics.Sample) -> Void) {
        CustomMetrics.shared.change(family.name, key, body)
    }

    /// - Throws: `unsupported` that says what kind the metric is.
    func check(_ isPossible: Bool, _ what: String) throws(HalcyonError) {
        guard isPossible else {
            throw HalcyonError(
                .unsupported, "the metric '\(family.name)' is a \(family.metricKind.rawValue), which \(what)")
        }
    }
}

private func metricLabels(
    _ labels: UnsafeMutablePointer<OpaquePointer?>?, _ count: UInt64
) throws(HalcyonError) -> [CustomMetrics.Label] {
    guard count > 0 else { return [] }
    guard let labels, let count = Int(exactly: count), count < 1 << 16 else {
        throw HalcyonError(.invalidArgument, "'labels' is NULL, expected \(count) of them")
    }
    var result: [CustomMetrics.Label] = []
    for index in 0..<count {
        let label = try Handles.object(labels[index], as: ParameterObject.self, "labels[\(index)]")
        guard let value = label.string else {
            throw HalcyonError(.invalidArgument, "the label '\(label.name)' is no text, as labels of metrics are")
        }
        guard CustomMetrics.isName(label.name) else {
            throw HalcyonError(
                .invalidArgument,
                "'\(label.name)' is no name of a label: expected letters, digits and '_', and no digit in front")
        }
        guard !result.contains(where: { $0.name == label.name }) else {
            throw HalcyonError(.invalidArgument, "the label '\(label.name)' is given twice")
        }
        result.append(CustomMetrics.Label(label.name, value))
    }
    return result
}

@c @implementation public func TRITONSERVER_MetricArgsNew(
    _ args: UnsafeMutablePointer<OpaquePointer?>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        try place(args, "args").pointee = try Handles.give(MetricArgumentsObject())
    }
}

@c @implementation public func TRITONSERVER_MetricArgsSetHistogram(
    _ args: OpaquePointer?, _ buckets: UnsafePointer<Double>?, _ buckets_count: UInt64
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let arguments = try Handles.object(args, as: MetricArgumentsObject.self, "args")
        guard let count = Int(exactly: buckets_count), count < 1 << 16, buckets != nil || count == 0 else {
            throw HalcyonError(.invalidArgument, "'buckets' is NULL, expected \(buckets_count) bounds")
        }
        let bounds = (0..<count).compactMap { buckets?[$0] }
        guard zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw HalcyonError(.invalidArgument, "the bounds of a histogram must ascend, got \(bounds)")
        }
        arguments.bounds.withLock { $0 = bounds }
    }
}

@c @implementation public func TRITONSERVER_MetricArgsDelete(_ args: OpaquePointer?) -> OpaquePointer? {
    // A metric without arguments: Triton's Python backend gives those back, too.
    guard args != nil else { return nil }
    return answer { () throws(HalcyonError) in try Handles.take(args, as: MetricArgumentsObject.self, "args") }
}

@c @implementation public func TRITONSERVER_MetricNew(
    _ metric: UnsafeMutablePointer<OpaquePointer?>?, _ family: OpaquePointer?,
    _ labels: UnsafeMutablePointer<OpaquePointer?>?, _ label_count: UInt64
) -> OpaquePointer? {
    TRITONSERVER_MetricNewWithArgs(metric, family, labels, label_count, nil)
}

@c @implementation public func TRITONSERVER_MetricNewWithArgs(
    _ metric: UnsafeMutablePointer<OpaquePointer?>?, _ family: OpaquePointer?,
    _ labels: UnsafeMutablePointer<OpaquePointer?>?, _ label_count: UInt64, _ args: OpaquePointer?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(metric, "metric")
        let family = try Handles.object(family, as: MetricFamilyObject.self, "family")
        var bounds: [Double]?
        if let args {
            bounds = try Handles.object(args, as: MetricArgumentsObject.self, "args").bounds.withLock { $0 }
        }
        let isHistogram = family.metricKind == .histogram
        guard (bounds != nil) == isHistogram else {
            let fault =
                !isHistogram
                ? "it takes no bounds of buckets"
                : args == nil ? "Bucket boundaries not found in Metric args" : "Metric args not set to histogram kind"
            throw HalcyonError(
                .invalidArgument, "the metric '\(family.name)' is a \(family.metricKind.rawValue): \(fault)")
        }
        place.pointee = try Handles.give(
            MetricObject(family, try metricLabels(labels, label_count), bounds: bounds ?? []))
    }
}

@c @implementation public func TRITONSERVER_MetricDelete(_ metric: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in try Handles.take(metric, as: MetricObject.self, "metric") }
}

@c @implementation public func TRITONSERVER_MetricValue(
    _ metric: OpaquePointer?, _ value: UnsafeMutablePointer<Double>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(metric, as: MetricObject.self, "metric")
        try object.check(object.family.metricKind != .histogram, "has no single value")
        try place(value, "value").pointee = object.value
    }
}

@c @implementation public func TRITONSERVER_MetricIncrement(_ metric: OpaquePointer?, _ value: Double) -> OpaquePointer?
{
    answer { () throws(HalcyonError) in
        let object = try Handles.object(metric, as: MetricObject.self, "metric")
        try object.check(object.family.metricKind != .histogram, "takes observations only")
        guard object.family.metricKind == .gauge || value >= 0 else {
            throw HalcyonError(
                .invalidArgument, "the metric '\(object.family.name)' is a counter and only grows, got \(value)")
        }
        object.change { $0.value += value }
    }
}

@c @implementation public func TRITONSERVER_MetricSet(_ metric: OpaquePointer?, _ value: Double) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(metric, as: MetricObject.self, "metric")
        try object.check(object.family.metricKind == .gauge, "can't be set")
        object.change { $0.value = value }
    }
}

@c @implementation public func TRITONSERVER_MetricObserve(_ metric: OpaquePointer?, _ value: Double) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(metric, as: MetricObject.self, "metric")
        try object.check(object.family.metricKind == .histogram, "takes no observations")
        object.change { sample in
            sample.value += value
            let first = sample.bounds.firstIndex { value <= $0 } ?? sample.bounds.count
            for index in sample.counts.indices.dropFirst(first) { sample.counts[index] &+= 1 }
        }
    }
}

@c @implementation public func TRITONSERVER_GetMetricKind(
    _ metric: OpaquePointer?, _ kind: UnsafeMutablePointer<TRITONSERVER_MetricKind>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(metric, as: MetricObject.self, "metric")
        try place(kind, "kind").pointee = object.family.metricKind.triton
    }
}

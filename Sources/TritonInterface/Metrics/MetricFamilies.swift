public import CTriton
internal import Tensors
private import Threads

/// A family that a C program holds.
package final class MetricFamilyObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .metricFamily }
    let name: String
    let metricKind: CustomMetrics.Kind
    /// Metrics that were made of this pointer and are still there; `nil` once it has been given up.
    private let metrics = Locked<Int?>(0)

    init(_ name: String, _ kind: CustomMetrics.Kind) {
        self.name = name
        metricKind = kind
    }

    func metricMade() throws(HalcyonError) {
        try metrics.withLock { count throws(HalcyonError) in
            guard let known = count else { throw HalcyonError(.invalidArgument, "the family '\(name)' is gone") }
            count = known + 1
        }
    }

    func metricDeleted() { metrics.withLock { $0 = $0.map { $0 - 1 } } }

    /// - Throws: `internal` while it has metrics.
    func end() throws(HalcyonError) {
        try metrics.withLock { count throws(HalcyonError) in
            guard let known = count, known == 0 else {
                throw HalcyonError(
                    .internal,
                    "Must call MetricDelete on all dependent metrics before calling MetricFamilyDelete: '\(name)' has "
                        + "\(count ?? 0)")
            }
            count = nil
        }
    }
}

extension CustomMetrics.Kind {
    init(_ kind: TRITONSERVER_MetricKind) throws(HalcyonError) {
        switch kind {
        case TRITONSERVER_METRIC_KIND_COUNTER: self = .counter
        case TRITONSERVER_METRIC_KIND_GAUGE: self = .gauge
        case TRITONSERVER_METRIC_KIND_HISTOGRAM: self = .histogram
        default: throw HalcyonError(.invalidArgument, "there is no kind of metric \(kind.rawValue), expected 0 to 2")
        }
    }

    var triton: TRITONSERVER_MetricKind {
        switch self {
        case .counter: TRITONSERVER_METRIC_KIND_COUNTER
        case .gauge: TRITONSERVER_METRIC_KIND_GAUGE
        case .histogram: TRITONSERVER_METRIC_KIND_HISTOGRAM
        }
    }
}

@c @implementation public func TRITONSERVER_MetricFamilyNew(
    _ family: UnsafeMutablePointer<OpaquePointer?>?, _ kind: TRITONSERVER_MetricKind, _ name: UnsafePointer<CChar>?,
    _ description: UnsafePointer<CChar>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let place = try place(family, "family")
        let object = MetricFamilyObject(try text(name, "name"), try CustomMetrics.Kind(kind))
        try CustomMetrics.shared.addFamily(
            object.name, object.metricKind, help: try text(description, "description"))
        place.pointee = try Handles.give(object)
    }
}

@c @implementation public func TRITONSERVER_MetricFamilyDelete(_ family: OpaquePointer?) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(family, as: MetricFamilyObject.self, "family")
        try object.end()
        try Handles.take(family, as: MetricFamilyObject.self, "family")
        CustomMetrics.shared.removeFamily(object.name)
    }
}

@c @implementation public func TRITONSERVER_GetMetricFamilyKind(
    _ family: OpaquePointer?, _ kind: UnsafeMutablePointer<TRITONSERVER_MetricKind>?
) -> OpaquePointer? {
    answer { () throws(HalcyonError) in
        let object = try Handles.object(family, as: MetricFamilyObject.self, "family")
        try place(kind, "kind").pointee = object.metricKind.triton
    }
}

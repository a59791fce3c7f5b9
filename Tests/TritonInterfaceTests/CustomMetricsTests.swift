import CTriton
import Testing

@testable import TritonInterface

@Suite("Metrics that backends make")
struct CustomMetricsTests {
    @Test("two users of a family share its metrics, which go with the last of them")
    func sharing() throws {
        let metrics = CustomMetrics()
        try metrics.addFamily("shared_total", .counter, help: "text")
        try metrics.addFamily("shared_total", .counter, help: "text")
        let first = metrics.addMetric("shared_total", [.init("b", "2"), .init("a", "1")], bounds: [])
        let second = metrics.addMetric("shared_total", [.init("a", "1"), .init("b", "2")], bounds: [])
        #expect(first == second)
        metrics.change("shared_total", first) { $0.value += 2 }
        metrics.change("shared_total", second) { $0.value += 3 }
        #expect(metrics.families().first?.samples.first?.value == 5)
        metrics.removeMetric("shared_total", first)
        #expect(metrics.families().count == 1)
        metrics.removeMetric("shared_total", second)
        #expect(metrics.families().isEmpty)
    }

    @Test("a family is of one kind")
    func kinds() throws {
        let metrics = CustomMetrics()
        try metrics.addFamily("kind", .gauge, help: "text")
        #expect(throws: (any Error).self) { try metrics.addFamily("kind", .counter, help: "text") }
        #expect(throws: (any Error).self) { try metrics.addFamily("1kind", .gauge, help: "text") }
    }

    @Test("through the interface: a histogram counts what is at most its bounds, a counter does not fall")
    func interface() {
        var family: OpaquePointer?
        var arguments: OpaquePointer?
        var metric: OpaquePointer?
        #expect(
            TRITONSERVER_MetricFamilyNew(&family, TRITONSERVER_METRIC_KIND_HISTOGRAM, "test_seconds", "text") == nil)
        #expect(TRITONSERVER_MetricArgsNew(&arguments) == nil)
        #expect(TRITONSERVER_MetricArgsSetHistogram(arguments, [0.5, 2], 2) == nil)
        #expect(fails(TRITONSERVER_MetricNew(&metric, family, nil, 0)))
        #expect(TRITONSERVER_MetricNewWithArgs(&metric, family, nil, 0, arguments) == nil)
        var kind = TRITONSERVER_METRIC_KIND_COUNTER
        #expect(TRITONSERVER_GetMetricFamilyKind(family, &kind) == nil && kind == TRITONSERVER_METRIC_KIND_HISTOGRAM)
        kind = TRITONSERVER_METRIC_KIND_COUNTER
        #expect(TRITONSERVER_GetMetricKind(metric, &kind) == nil && kind == TRITONSERVER_METRIC_KIND_HISTOGRAM)
        for value in [0.25, 1, 2, 3] { #expect(TRITONSERVER_MetricObserve(metric, value) == nil) }
        #expect(fails(TRITONSERVER_MetricIncrement(metric, 1)))
        let shown = CustomMetrics.shared.families().first { $0.name == "test_seconds" }?.samples.first
        #expect(shown?.counts == [1, 3, 4])
        #expect(shown?.value == 6.25)
        #expect(fails(TRITONSERVER_MetricFamilyDelete(family)))
        #expect(TRITONSERVER_MetricDelete(metric) == nil)
        #expect(TRITONSERVER_MetricFamilyDelete(family) == nil)
        #expect(TRITONSERVER_MetricArgsDelete(arguments) == nil)
        #expect(TRITONSERVER_MetricArgsDelete(nil) == nil)
        #expect(fails(TRITONSERVER_MetricArgsDelete(arguments)))
        #expect(TRITONSERVER_MetricFamilyNew(&family, TRITONSERVER_METRIC_KIND_COUNTER, "test_total", "text") == nil)
        #expect(TRITONSERVER_MetricNew(&metric, family, nil, 0) == nil)
        #expect(TRITONSERVER_MetricIncrement(metric, 2) == nil)
        #expect(fails(TRITONSERVER_MetricIncrement(metric, -1)))
        #expect(fails(TRITONSERVER_MetricSet(metric, 1)))
        var value = 0.0
        #expect(TRITONSERVER_MetricValue(metric, &value) == nil)
        #expect(value == 2)
        #expect(TRITONSERVER_MetricDelete(metric) == nil)
        #expect(TRITONSERVER_MetricFamilyDelete(family) == nil)
    }

    private func fails(_ error: OpaquePointer?) -> Bool {
        TRITONSERVER_ErrorDelete(error)
        return error != nil
    }
}

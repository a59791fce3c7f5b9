import MetricsExposition
import Tensors
import Testing

@Suite("Metrics settings")
struct MetricsConfigurationTests {
    @Test("Without settings there are counters of times and not the reference's histogram")
    func defaults() throws {
        let configuration = try MetricsConfiguration(settings: [])
        #expect(configuration.counterLatencies && !configuration.histogramLatencies)
        #expect(configuration == MetricsConfiguration())
    }

    @Test("The settings are read, and the last of two counts")
    func settings() throws {
        let configuration = try MetricsConfiguration(settings: [
            "counter_latencies=false", "histogram_latencies=false", "histogram_latencies=true",
            "summary_latencies=false",
        ])
        #expect(!configuration.counterLatencies && configuration.histogramLatencies)
    }

    @Test(
        "What is wrong with a setting is said with what is allowed",
        arguments: [
            ("counter_latencies", "metrics setting 'counter_latencies' has no value, expected <setting>=<value>"),
            ("", "metrics setting '' has no value, expected <setting>=<value>"),
            ("counter_latencies=", "metrics setting 'counter_latencies' is '', expected 'true' or 'false'"),
            ("histogram_latencies=TRUE", "'histogram_latencies' is 'TRUE', expected 'true' or 'false'"),
            ("counter_latencies=true=false", "'counter_latencies' is 'true=false', expected 'true' or 'false'"),
            (
                "latencies=true",
                "no metrics setting 'latencies'; the settings are 'counter_latencies' and 'histogram_latencies'"
            ),
            ("=true", "there is no metrics setting ''"),
            ("summary_latencies=true", "summaries are not supported; use histograms, 'histogram_latencies=true'"),
            ("summary_latencies=maybe", "'summary_latencies' is 'maybe', expected 'true' or 'false'"),
            ("summary_quantiles=0.5:0.05", "'summary_quantiles': summaries are not supported; use histograms"),
        ])
    func errors(setting: String, expected: String) {
        let error = #expect(throws: HalcyonError.self) { try MetricsConfiguration(settings: [setting]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }
}

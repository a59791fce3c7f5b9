import MetricsExposition
import ModelRuntime
import Tensors
import Testing

@Suite("Metrics settings")
struct MetricsConfigurationTests {
    @Test("Without settings there are counters of times and not Triton's histogram")
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
        #expect(!configuration.counterLatencies && configuration.histogramLatencies && !configuration.summaryLatencies)
    }

    @Test("Summaries have Triton's quantiles, or those that are named")
    func summaries() throws {
        let standard = try MetricsConfiguration(settings: ["summary_latencies=true"])
        #expect(standard.summaryLatencies)
        #expect(standard.summaryQuantiles.map(\.quantile) == [0.5, 0.9, 0.95, 0.99, 0.999])
        let own = try MetricsConfiguration(settings: ["summary_latencies=true", "summary_quantiles=0.25:0.02,1:0.001"])
        #expect(own.summaryQuantiles == [SummaryQuantile(0.25, error: 0.02), SummaryQuantile(1, error: 0.001)])
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
                "no metrics setting 'latencies'; the settings are 'counter_latencies', 'histogram_latencies' and"
            ),
            ("=true", "there is no metrics setting ''"),
            ("summary_latencies=maybe", "'summary_latencies' is 'maybe', expected 'true' or 'false'"),
            ("summary_quantiles=0.5", "'summary_quantiles' has '0.5', expected <quantile>:<error> with a quantile"),
            ("summary_quantiles=0.5:0.05,", "'summary_quantiles' has '', expected <quantile>:<error>"),
            ("summary_quantiles=0.5:0", "'summary_quantiles' has '0.5:0', expected <quantile>:<error>"),
            ("summary_quantiles=1.5:0.1", "'summary_quantiles' has '1.5:0.1', expected <quantile>:<error>"),
            ("summary_quantiles=nan:0.1", "'summary_quantiles' has 'nan:0.1', expected <quantile>:<error>"),
        ])
    func errors(setting: String, expected: String) {
        let error = #expect(throws: HalcyonError.self) { try MetricsConfiguration(settings: [setting]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }
}

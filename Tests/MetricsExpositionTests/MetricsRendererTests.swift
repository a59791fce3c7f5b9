import Foundation
import Halcyon
import HalcyonTestKit
import MetricsExposition
import Testing

@testable import CUDADriver

@Suite("Metrics page")
struct MetricsRendererTests {
    /// A page's lines about that family: its heading and its samples.
    private func lines(_ family: String, of text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { line in
            let name = line.hasPrefix("#") ? line.split(separator: " ")[2] : line.prefix { $0 != "{" && $0 != " " }
            return name == family || ["_bucket", "_sum", "_count"].contains { name == family + $0 }
        }
    }

    @Test("The whole page of a model, by Triton's names and order, and Halcyon's own behind them")
    func wholePage() throws {
        let snapshot = try Self.snapshot()
        #expect(MetricsRenderer().text(snapshot) == Self.page)
        #expect(MetricsRenderer.contentType == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test("Without models and without the machine's usage there are headings alone")
    func empty() {
        let text = MetricsRenderer().text(MetricsSnapshot(statistics: [], gauges: []))
        let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }.map { $0.split(separator: " ")[2] }
        #expect(!text.split(separator: "\n").contains { !$0.hasPrefix("#") })
        #expect(!names.contains { $0.hasPrefix("nv_cpu") })
        #expect(Set(names).count == names.count && names.count == 24)
    }

    @Test("GPUs are shown by Triton's names, and what one does not tell is left out")
    func gpus() throws {
        var snapshot = MetricsSnapshot(statistics: [], gauges: [])
        var told = GPUUsage(uuid: "GPU-a")
        told.utilization = 0.5
        told.memoryTotalBytes = 8_589_934_592
        told.memoryUsedBytes = 1024
        told.powerUsage = 70.5
        told.powerLimit = 300
        told.energy = 12.25
        snapshot.gpus = [told, GPUUsage(uuid: "GPU-b")]
        snapshot.pinnedPool = MemoryPool.Usage(limit: 4096, reserved: 2048, used: 512)
        let samples = MetricsRenderer().text(snapshot).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            samples == [
                "nv_pinned_memory_pool_total_bytes 4096", "nv_pinned_memory_pool_used_bytes 512",
                "nv_gpu_utilization{gpu_uuid=\"GPU-a\"} 0.5",
                "nv_gpu_memory_total_bytes{gpu_uuid=\"GPU-a\"} 8589934592",
                "nv_gpu_memory_used_bytes{gpu_uuid=\"GPU-a\"} 1024", "nv_gpu_power_usage{gpu_uuid=\"GPU-a\"} 70.5",
                "nv_gpu_power_limit{gpu_uuid=\"GPU-a\"} 300", "nv_energy_consumption{gpu_uuid=\"GPU-a\"} 12.25",
            ])
    }

    @Test("With counter_latencies=false the counters of times are left out, and only they")
    func withoutCounters() throws {
        let snapshot = try Self.snapshot()
        let renderer = MetricsRenderer(try MetricsConfiguration(settings: ["counter_latencies=false"]))
        let left = Self.page.split(separator: "\n").filter { !$0.contains("_duration_us") }
        #expect(renderer.text(snapshot).split(separator: "\n") == left)
    }

    @Test("With histogram_latencies=true there is Triton's histogram, in milliseconds and in its buckets")
    func firstResponse() throws {
        var model = ModelStatistics(name: "simple", version: 1)
        for milliseconds in [1, 100, 101, 2000, 6000] as [UInt64] {
            model.latencies.request.record(milliseconds * 1_000_000)
            model.latencies.firstResponse.record(milliseconds * 1_000_000)
        }
        let renderer = MetricsRenderer(try MetricsConfiguration(settings: ["histogram_latencies=true"]))
        let text = renderer.text(MetricsSnapshot(statistics: [model], gauges: []))
        let name = "nv_inference_first_response_histogram_ms"
        #expect(
            lines(name, of: text) == [
                "# HELP \(name) Time from arrival to the first response, in milliseconds.",
                "# TYPE \(name) histogram",
                #"\#(name)_bucket{model="simple",version="1",le="100"} 2"#,
                #"\#(name)_bucket{model="simple",version="1",le="500"} 3"#,
                #"\#(name)_bucket{model="simple",version="1",le="2000"} 4"#,
                #"\#(name)_bucket{model="simple",version="1",le="5000"} 4"#,
                #"\#(name)_bucket{model="simple",version="1",le="+Inf"} 5"#,
                #"\#(name)_sum{model="simple",version="1"} 8202"#,
                #"\#(name)_count{model="simple",version="1"} 5"#,
            ])
        #expect(lines(name, of: MetricsRenderer().text(MetricsSnapshot(statistics: [model], gauges: []))).isEmpty)
    }

    @Test("Buckets of zero and less are shown, and hold what is not above them")
    func bucketsOfZero() throws {
        var model = ModelStatistics(name: "m", version: 1)
        model.latencies = LatencyHistograms(firstResponseBounds: [-1, 0, 1, 2.5])
        model.latencies.firstResponse.record(2_000_000)
        let renderer = MetricsRenderer(try MetricsConfiguration(settings: ["histogram_latencies=true"]))
        let text = renderer.text(MetricsSnapshot(statistics: [model], gauges: []))
        let name = "nv_inference_first_response_histogram_ms_bucket"
        #expect(
            lines(name, of: text) == [
                #"\#(name){model="m",version="1",le="-1"} 0"#, #"\#(name){model="m",version="1",le="0"} 0"#,
                #"\#(name){model="m",version="1",le="1"} 0"#, #"\#(name){model="m",version="1",le="2.5"} 1"#,
                #"\#(name){model="m",version="1",le="+Inf"} 1"#,
            ])
    }

    @Test("Summaries are shown where they are wanted, with NaN where nothing came")
    func summaries() throws {
        var model = ModelStatistics(name: "m", version: 1)
        model.success.add(3_000_000, times: 2)
        model.quantiles = LatencyQuantiles(
            quantiles: [0.5, 0.99], values: [.request: [1500, 1600], .queue: [nil, nil]])
        let name = "nv_inference_request_summary_us"
        let snapshot = MetricsSnapshot(statistics: [model], gauges: [])
        let renderer = MetricsRenderer(try MetricsConfiguration(settings: ["summary_latencies=true"]))
        #expect(
            lines(name, of: renderer.text(snapshot)) == [
                "# HELP \(name) Time from arrival to response, in microseconds, of the last minute.",
                "# TYPE \(name) summary",
                #"\#(name)_count{model="m",version="1"} 2"#,
                #"\#(name)_sum{model="m",version="1"} 3000"#,
                #"\#(name){model="m",version="1",quantile="0.5"} 1500"#,
                #"\#(name){model="m",version="1",quantile="0.99"} 1600"#,
            ])
        #expect(
            lines("nv_inference_queue_summary_us", of: renderer.text(snapshot)).last
                == #"nv_inference_queue_summary_us{model="m",version="1",quantile="0.99"} NaN"#)
        #expect(lines("nv_cache_hit_summary_us", of: renderer.text(snapshot)).isEmpty)
        #expect(lines(name, of: MetricsRenderer().text(snapshot)).isEmpty)
    }

    @Test("Each family has one heading, and under it the samples of all versions")
    func versions() throws {
        let models = [ModelStatistics(name: "a", version: 1), ModelStatistics(name: "a", version: 12)]
        let text = MetricsRenderer().text(MetricsSnapshot(statistics: models, gauges: []))
        #expect(
            lines("nv_inference_count", of: text).dropFirst(2) == [
                #"nv_inference_count{model="a",version="1"} 0"#, #"nv_inference_count{model="a",version="12"} 0"#,
            ])
    }

    @Test("Backslashes, quotation marks and line breaks in a label's value are escaped, and nothing else is")
    func escaping() {
        let model = ModelStatistics(name: "a\\b\"c\nd é{},=\t\r\n", version: 1)
        let text = MetricsRenderer().text(
            MetricsSnapshot(statistics: [model], gauges: [ModelGauges(name: "\\n", version: 2)]))
        #expect(text.contains("nv_inference_count{model=\"a\\\\b\\\"c\\nd é{},=\t\r\\n\",version=\"1\"} 0\n"))
        #expect(text.contains(#"halcyon_instances{model="\\n",version="2"} 0"#))
    }

    @Test("A server's own numbers arrive on the page")
    func server() async throws {
        let folder = try TemporaryFolder.make()
        let model = folder.appendingPathComponent("echo/1")
        try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
        let configuration = """
            backend: "identity"
            max_batch_size: 8
            input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
            output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] } ]
            instance_group [ { count: 2 kind: KIND_CPU } ]
            """
        try configuration.write(
            to: folder.appendingPathComponent("echo/config.pbtxt"), atomically: true, encoding: .utf8)
        let server = try InferenceServer(ServerOptions(repositoryPaths: [folder.path]))
        try await server.waitUntilReady()
        let input = try Tensor(name: "IN", shape: [3, 4], [Float](repeating: 1, count: 12))
        _ = try await server.infer(InferenceRequest(modelName: "echo", inputs: [input]))
        _ = try? await server.infer(InferenceRequest(modelName: "echo", inputs: []))
        let text = MetricsRenderer().text(MetricsSnapshot(of: server))
        for line in [
            #"nv_inference_request_success{model="echo",version="1"} 1"#,
            #"nv_inference_request_failure{model="echo",reason="OTHER",version="1"} 1"#,
            #"nv_inference_count{model="echo",version="1"} 3"#,
            #"nv_inference_pending_request_count{model="echo",version="1"} 0"#,
            #"halcyon_batch_size_bucket{model="echo",version="1",le="4"} 1"#,
            #"halcyon_instances{model="echo",version="1"} 2"#,
        ] {
            #expect(text.contains("\(line)\n"), "\(line)")
        }
        #expect(server.gauges().map(\.loadNanoseconds).allSatisfy { $0 > 0 })
        await server.shutdown()
    }

    @Test("The workers that went are counted by cause, for models that have some")
    func restarts() {
        var isolated = ModelGauges(name: "m", version: 1)
        isolated.restarts = ["signal": 2, "exit": 0]
        let text = MetricsRenderer().text(
            MetricsSnapshot(statistics: [], gauges: [ModelGauges(name: "other", version: 1), isolated]))
        for line in [
            "# TYPE halcyon_restarts_total counter",
            #"halcyon_restarts_total{cause="exit",model="m",version="1"} 0"#,
            #"halcyon_restarts_total{cause="signal",model="m",version="1"} 2"#,
        ] {
            #expect(text.contains("\(line)\n"), "\(line)")
        }
        let none = MetricsRenderer().text(
            MetricsSnapshot(statistics: [], gauges: [ModelGauges(name: "other", version: 1)]))
        #expect(!none.contains("halcyon_restarts_total"))
    }

}

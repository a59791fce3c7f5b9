import CTriton
import HalcyonTestKit
import Tensors
import Testing

@Suite("Options of the C interface")
struct OptionsTests {
    @Test("Each option that can be kept to is taken, and a server starts with all of them")
    func all() throws {
        let folder = try Folder()
        try folder.makeFolder("empty")
        let fixture = try Fixture { options in
            for taken in [
                TRITONSERVER_ServerOptionsSetServerId(options, "box"),
                TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT),
                TRITONSERVER_ServerOptionsSetStartupModel(options, "echo"),
                TRITONSERVER_ServerOptionsSetStrictModelConfig(options, true),
                TRITONSERVER_ServerOptionsSetModelConfigName(options, "special"),
                TRITONSERVER_ServerOptionsSetExitOnError(options, true),
                TRITONSERVER_ServerOptionsSetStrictReadiness(options, false),
                TRITONSERVER_ServerOptionsSetExitTimeout(options, 5),
                TRITONSERVER_ServerOptionsSetModelLoadThreadCount(options, 2),
                TRITONSERVER_ServerOptionsSetModelLoadRetryCount(options, 0),
                TRITONSERVER_ServerOptionsSetModelNamespacing(options, false),
                TRITONSERVER_ServerOptionsSetRateLimiterMode(options, TRITONSERVER_RATE_LIMIT_EXEC_COUNT),
                TRITONSERVER_ServerOptionsAddRateLimiterResource(options, "R", 3, -1),
                TRITONSERVER_ServerOptionsSetPinnedMemoryPoolByteSize(options, 1 << 20),
                TRITONSERVER_ServerOptionsSetCudaMemoryPoolByteSize(options, 0, 1 << 20),
                TRITONSERVER_ServerOptionsSetMinSupportedComputeCapability(options, 6),
                TRITONSERVER_ServerOptionsSetEnablePeerAccess(options, false),
                TRITONSERVER_ServerOptionsSetBufferManagerThreadCount(options, 0),
                TRITONSERVER_ServerOptionsSetResponseCacheByteSize(options, 1 << 20),
                TRITONSERVER_ServerOptionsSetCacheDirectory(options, "\(folder.path)/empty"),
                TRITONSERVER_ServerOptionsSetRepoAgentDirectory(options, "\(folder.path)/empty"),
                TRITONSERVER_ServerOptionsSetLogFormat(options, TRITONSERVER_LOG_DEFAULT),
                TRITONSERVER_ServerOptionsSetLogVerbose(options, 0),
                TRITONSERVER_ServerOptionsSetMetrics(options, true),
                TRITONSERVER_ServerOptionsSetGpuMetrics(options, false),
                TRITONSERVER_ServerOptionsSetCpuMetrics(options, false),
                TRITONSERVER_ServerOptionsSetMetricsInterval(options, 100),
                TRITONSERVER_ServerOptionsSetMetricsConfig(options, "", "counter_latencies", "true"),
                TRITONSERVER_ServerOptionsSetBackendConfig(options, "identity", "key", "value"),
                TRITONSERVER_ServerOptionsSetHostPolicy(options, "node", "cpu-cores", "0"),
            ] { try check(taken) }
        }
        #expect(try text { TRITONSERVER_ServerMetadata(fixture.server, $0) }.contains("\"name\":\"box\""))
        let metrics = try made { TRITONSERVER_ServerMetrics(fixture.server, $0) }
        var base: UnsafePointer<CChar>?
        var size = 0
        try check(TRITONSERVER_MetricsFormatted(metrics, TRITONSERVER_METRIC_PROMETHEUS, &base, &size))
        let shown = String(decoding: UnsafeRawBufferPointer(start: base, count: size), as: UTF8.self)
        #expect(!shown.contains("nv_cpu_utilization"))
        try check(TRITONSERVER_MetricsDelete(metrics))
        let call = try Call(fixture)
        try call.add([1])
        try call.infer(on: fixture)
        call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        try check(TRITONSERVER_ServerUnloadModelAndDependents(fixture.server, "echo"))
        var isReady = true
        try check(TRITONSERVER_ServerModelIsReady(fixture.server, "echo", -1, &isReady))
        #expect(!isReady)
    }

    @Test("A value out of its range is an error that names it")
    func outOfRange() throws {
        let options = try made { TRITONSERVER_ServerOptionsNew($0) }
        defer { _ = failure(TRITONSERVER_ServerOptionsDelete(options)) }
        let mode = TRITONSERVER_RateLimitMode(rawValue: 7)
        let format = TRITONSERVER_LogFormat(rawValue: 7)
        for (error, words) in [
            (TRITONSERVER_ServerOptionsSetRateLimiterMode(options, mode), "mode 7"),
            (TRITONSERVER_ServerOptionsAddRateLimiterResource(options, "", 1, 0), "expected a name"),
            (TRITONSERVER_ServerOptionsAddRateLimiterResource(options, "R", -1, 0), "18446744073709551615"),
            (TRITONSERVER_ServerOptionsAddRateLimiterResource(options, "R", 1, -2), "device -2"),
            (TRITONSERVER_ServerOptionsSetPinnedMemoryPoolByteSize(options, .max), "18446744073709551615"),
            (TRITONSERVER_ServerOptionsSetCudaMemoryPoolByteSize(options, -1, 1), "GPU -1"),
            (TRITONSERVER_ServerOptionsSetCudaVirtualAddressSize(options, 0, 1), "in place"),
            (TRITONSERVER_ServerOptionsSetMinSupportedComputeCapability(options, .nan), "nan"),
            (TRITONSERVER_ServerOptionsSetMinSupportedComputeCapability(options, -1), "-1"),
            (TRITONSERVER_ServerOptionsSetBufferManagerThreadCount(options, 4), "got 4 threads"),
            (
                TRITONSERVER_ServerOptionsSetModelLoadDeviceLimit(
                    options, TRITONSERVER_INSTANCEGROUPKIND_GPU, 0, 0.5), "limit of 0.5"
            ),
            (TRITONSERVER_ServerOptionsSetModelLoadThreadCount(options, 0), "is 0, expected 1 to 1024"),
            (TRITONSERVER_ServerOptionsSetResponseCacheByteSize(options, .max), "18446744073709551615"),
            (TRITONSERVER_ServerOptionsSetLogFormat(options, format), "log format 7"),
            (TRITONSERVER_ServerOptionsSetLogVerbose(options, -1), "level is -1"),
            (TRITONSERVER_ServerOptionsSetMetricsInterval(options, 0), "0 ms"),
            (TRITONSERVER_ServerOptionsSetModelRepositoryPath(options, ""), "path is empty"),
            (TRITONSERVER_ServerOptionsSetStartupModel(options, ""), "no name"),
            (TRITONSERVER_ServerOptionsSetRepoAgentDirectory(options, ""), "path is empty"),
            (TRITONSERVER_ServerOptionsSetBackendConfig(options, "onnxruntime", "", "1"), "has no name"),
        ] { #expect(failure(error)?.message.contains(words) == true, "\(words)") }
    }
}

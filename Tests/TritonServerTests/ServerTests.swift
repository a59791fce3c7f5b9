import CTriton
import Glibc
import HalcyonTestKit
import Tensors
import Testing

@Suite("Servers of the C interface")
struct ServerTests {
    @Test("Metadata, configuration, index and statistics are the protocol's documents")
    func documents() throws {
        let fixture = try Fixture { options in
            try check(TRITONSERVER_ServerOptionsSetServerId(options, "box 7"))
        }
        let server = fixture.server
        #expect(try text { TRITONSERVER_ServerMetadata(server, $0) }.hasPrefix("{\"name\":\"box 7\",\"version\":"))
        #expect(
            try text { TRITONSERVER_ServerModelMetadata(server, "echo", -1, $0) }
                == "{\"name\":\"echo\",\"versions\":[\"1\"],\"platform\":\"identity\",\"inputs\":[{\"name\":\"IN\","
                + "\"datatype\":\"INT32\",\"shape\":[-1,-1]}],\"outputs\":[{\"name\":\"OUT\",\"datatype\":\"INT32\","
                + "\"shape\":[-1,-1]}]}")
        #expect(
            try text { TRITONSERVER_ServerModelIndex(server, 1, $0) }
                == "[{\"name\":\"echo\",\"version\":\"1\",\"state\":\"READY\"}]")
        #expect(try text { TRITONSERVER_ServerModelConfig(server, "echo", 1, 1, $0) }.contains("\"max_batch_size\":8"))
        #expect(
            try text { TRITONSERVER_ServerModelStatistics(server, "", -1, $0) }
                .hasPrefix("{\"model_stats\":[{\"name\":\"echo\",\"version\":\"1\""))
        #expect(
            failure(made: { TRITONSERVER_ServerModelConfig(server, "echo", 1, 2, $0) })?.code == .unsupported)
        #expect(failure(made: { TRITONSERVER_ServerModelMetadata(server, "no", -1, $0) })?.code == .notFound)
        #expect(
            failure(made: { TRITONSERVER_ServerModelMetadata(server, "echo", -2, $0) })?.code == .invalidArgument)
        var flags: UInt32 = 0
        try check(TRITONSERVER_ServerModelBatchProperties(server, "echo", -1, &flags, nil))
        #expect(flags == TRITONSERVER_BATCH_FIRST_DIM.rawValue)
    }

    @Test("Metrics are text for Prometheus")
    func metrics() throws {
        let fixture = try Fixture()
        let metrics = try made { TRITONSERVER_ServerMetrics(fixture.server, $0) }
        var base: UnsafePointer<CChar>?
        var size = 0
        try check(TRITONSERVER_MetricsFormatted(metrics, TRITONSERVER_METRIC_PROMETHEUS, &base, &size))
        let text = String(decoding: UnsafeRawBufferPointer(start: base, count: size), as: UTF8.self)
        #expect(text.contains("nv_inference_request_success{model=\"echo\",version=\"1\"} 0"))
        #expect(text.contains("nv_cpu_utilization"))
        try check(TRITONSERVER_MetricsDelete(metrics))
        #expect(failure(TRITONSERVER_MetricsDelete(metrics))?.code == .invalidArgument)
    }

    @Test("Models are loaded and unloaded as the program says")
    func control() throws {
        let fixture = try Fixture(["echo": Fixture.echo, "other": Fixture.echo]) { options in
            try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT))
            try check(TRITONSERVER_ServerOptionsSetStartupModel(options, "echo"))
        }
        let server = fixture.server
        #expect(try isReady("echo", server))
        #expect(try !isReady("other", server))
        try check(TRITONSERVER_ServerLoadModel(server, "other"))
        #expect(try isReady("other", server))
        try check(TRITONSERVER_ServerUnloadModel(server, "other"))
        #expect(try !isReady("other", server))
        let configuration = """
            {"backend": "identity", "max_batch_size": 3,
             "input": [{"name": "IN", "data_type": "TYPE_INT32", "dims": [2]}],
             "output": [{"name": "OUT", "data_type": "TYPE_INT32", "dims": [2]}]}
            """
        var parameters = [TRITONSERVER_ParameterNew("config", TRITONSERVER_PARAMETER_STRING, configuration)]
        defer { for parameter in parameters { TRITONSERVER_ParameterDelete(parameter) } }
        try check(TRITONSERVER_ServerLoadModelWithParameters(server, "echo", &parameters, 1))
        #expect(try text { TRITONSERVER_ServerModelConfig(server, "echo", -1, 1, $0) }.contains("\"max_batch_size\":3"))
        parameters.append(TRITONSERVER_ParameterNew("other", TRITONSERVER_PARAMETER_STRING, "x"))
        let error = failure(TRITONSERVER_ServerLoadModelWithParameters(server, "echo", &parameters, 2))
        #expect(error?.code == .invalidArgument)
        let none = failure(TRITONSERVER_ServerLoadModel(server, "none"))
        #expect(none == HalcyonError(.internal, "failed to load 'none', failed to poll from model repository"))
        #expect(failure(TRITONSERVER_ServerPollModelRepository(server))?.code == .unavailable)
    }

    @Test("Models are not loaded and unloaded where the repositories alone say what is served")
    func noControl() throws {
        let fixture = try Fixture()
        for error in [
            failure(TRITONSERVER_ServerLoadModel(fixture.server, "echo")),
            failure(TRITONSERVER_ServerUnloadModel(fixture.server, "echo")),
            failure(TRITONSERVER_ServerUnloadModelAndDependents(fixture.server, "echo")),
        ] {
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("explicit model load / unload is not allowed") == true)
        }
        #expect(try isReady("echo", fixture.server))
    }

    @Test("Repositories come and go, with models under other names")
    func repositories() throws {
        let fixture = try Fixture { options in
            try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT))
        }
        let server = fixture.server
        let second = try Folder()
        try Fixture.write(Fixture.echo + "\nname: \"inner\"", "inner", in: second)
        var names = [TRITONSERVER_ParameterNew("inner", TRITONSERVER_PARAMETER_STRING, "outer")]
        defer { for name in names { TRITONSERVER_ParameterDelete(name) } }
        try check(TRITONSERVER_ServerRegisterModelRepository(server, second.path, &names, 1))
        let again = failure(TRITONSERVER_ServerRegisterModelRepository(server, second.path, nil, 0))
        #expect(again?.code == .alreadyExists)
        try check(TRITONSERVER_ServerLoadModel(server, "outer"))
        #expect(try isReady("outer", server))
        #expect(failure(TRITONSERVER_ServerLoadModel(server, "inner"))?.code == .internal)
        try check(TRITONSERVER_ServerUnregisterModelRepository(server, second.path))
        #expect(try isReady("outer", server))
        let gone = failure(TRITONSERVER_ServerUnregisterModelRepository(server, second.path))
        #expect(gone?.code == .invalidArgument)
    }

    @Test("Polling loads what has come when the program asks")
    func polling() throws {
        let fixture = try Fixture { options in
            try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_POLL))
        }
        try Fixture.write(Fixture.echo, "late", in: fixture.folder)
        try check(TRITONSERVER_ServerPollModelRepository(fixture.server))
        #expect(try isReady("late", fixture.server))
        let refused = failure(TRITONSERVER_ServerRegisterModelRepository(fixture.server, "/tmp", nil, 0))
        #expect(refused?.code == .unsupported)
    }

    @Test("A model that does not load ends the start, unless it is not to")
    func startFailure() throws {
        let error = #expect(throws: HalcyonError.self) { try Fixture(["bad": "backend: \"no_such_backend\""]) }
        #expect(error?.message.hasPrefix("failed to load all models") == true)
        let fixture = try Fixture(["bad": "backend: \"no_such_backend\"", "echo": Fixture.echo]) { options in
            try check(TRITONSERVER_ServerOptionsSetExitOnError(options, false))
        }
        #expect(try isReady("echo", fixture.server))
        var ready = true
        try check(TRITONSERVER_ServerIsReady(fixture.server, &ready))
        #expect(!ready)
    }

    @Test("A server that was stopped is not live, and two live side by side")
    func stopped() throws {
        let first = try Fixture()
        let second = try Fixture()
        try check(TRITONSERVER_ServerSetExitTimeout(first.server, 5))
        try check(TRITONSERVER_ServerStop(first.server))
        try check(TRITONSERVER_ServerStop(first.server))
        var isLive = true
        try check(TRITONSERVER_ServerIsLive(first.server, &isLive))
        #expect(!isLive)
        #expect(try isReady("echo", second.server))
        let call = try Call(second)
        try call.add([1])
        let other = failure(TRITONSERVER_ServerInferAsync(first.server, call.request, nil))
        #expect(other?.code == .invalidArgument)
    }

    @Test("Options that can't be kept to are errors with a sentence")
    func options() throws {
        let options = try made { TRITONSERVER_ServerOptionsNew($0) }
        defer { _ = failure(TRITONSERVER_ServerOptionsDelete(options)) }
        let mode = TRITONSERVER_ModelControlMode(rawValue: 7)
        #expect(failure(TRITONSERVER_ServerOptionsSetModelControlMode(options, mode))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetBackendConfig(options, "", "no", "1"))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetModelLoadRetryCount(options, 2))?.code == .unsupported)
        try check(TRITONSERVER_ServerOptionsSetModelLoadRetryCount(options, 0))
        try check(TRITONSERVER_ServerOptionsSetCacheConfig(options, "local", "{\"size\": \"1048576\"}"))
        let two = failure(TRITONSERVER_ServerOptionsSetResponseCacheByteSize(options, 1))
        #expect(two?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetCacheConfig(options, "redis", "{}"))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetCacheDirectory(options, ""))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetHostPolicy(options, "a", "cpu", "1"))?.code == .invalidArgument)
        try check(TRITONSERVER_ServerOptionsSetHostPolicy(options, "a", "cpu-cores", "0"))
        try check(TRITONSERVER_ServerOptionsSetMetricsConfig(options, "", "summary_latencies", "true"))
        #expect(failure(TRITONSERVER_ServerOptionsSetMetricsConfig(options, "", "x", "y"))?.code == .invalidArgument)
        #expect(failure(TRITONSERVER_ServerOptionsSetLogFile(options, "/no/such/folder/log"))?.code == .invalidArgument)
        let none = failure(made: { TRITONSERVER_ServerNew($0, options) })
        #expect(none?.message.contains("no model repository") == true)
        #expect(failure(made: { TRITONSERVER_ServerNew($0, nil) })?.code == .invalidArgument)
    }

    private func isReady(_ model: String, _ server: OpaquePointer) throws -> Bool {
        var ready = false
        try check(TRITONSERVER_ServerModelIsReady(server, model, -1, &ready))
        return ready
    }
}

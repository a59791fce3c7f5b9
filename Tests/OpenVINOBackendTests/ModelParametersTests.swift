import Tensors
import Testing

@testable import OpenVINOBackend

@Suite struct ModelParametersTests {
    private func parse(backend: [String: String] = [:], model: [String: String] = [:]) throws -> ModelParameters {
        try ModelParameters(backend: backend, model: model, modelName: "m")
    }

    @Test func `Engine properties pass through, the model's over the backend's`() throws {
        let parameters = try parse(
            backend: ["num_streams": "4", "PERFORMANCE_HINT": "LATENCY"],
            model: ["NUM_STREAMS": "2", "ENABLE_HYPER_THREADING": "NO"])
        #expect(
            parameters.properties == [
                "NUM_STREAMS": "2", "PERFORMANCE_HINT": "LATENCY", "ENABLE_HYPER_THREADING": "NO",
            ])
    }

    @Test func `The backend's own parameters are switches`() throws {
        let parameters = try parse(model: [
            "ENABLE_BATCH_PADDING": "YES", "RESHAPE_IO_LAYERS": "yes", "SKIP_OV_DYNAMIC_BATCHSIZE": "true",
        ])
        #expect(parameters.padsBatches && parameters.reshapesInputs && parameters.keepsFixedBatch)
        #expect(parameters.properties.isEmpty)
        #expect(try !parse(model: ["ENABLE_BATCH_PADDING": "NO"]).padsBatches)
        #expect(
            error { try parse(model: ["ENABLE_BATCH_PADDING": "2"]) }
                == HalcyonError(
                    .invalidArgument, "model 'm': parameter 'ENABLE_BATCH_PADDING' is '2'; expected YES or NO"))
    }

    @Test func `FIXED_BATCH_SIZES lists sizes, in any order, of one model`() throws {
        #expect(try parse(model: ["FIXED_BATCH_SIZES": " 8, 1 ,4"]).fixedBatchSizes == [1, 4, 8])
        for value in ["", "0", "-1", "1,,2", "1,1", "1 8", "one", (1...17).map(String.init).joined(separator: ",")] {
            #expect(
                error { try parse(model: ["FIXED_BATCH_SIZES": value]) }
                    == HalcyonError(
                        .invalidArgument,
                        "model 'm': parameter 'FIXED_BATCH_SIZES' is '\(value)'; expected up to 16 different batch "
                            + "sizes with commas between them, 1,8 for instance"))
        }
        #expect(error { try parse(backend: ["fixed_batch_sizes": "1"]) }?.code == .unsupported)
    }

    @Test func `HINT_BF16 is the engine's precision hint, which comes first where both are given`() throws {
        #expect(try parse(model: ["HINT_BF16": "YES"]).properties == ["INFERENCE_PRECISION_HINT": "bf16"])
        #expect(
            try parse(model: ["HINT_BF16": "YES", "INFERENCE_PRECISION_HINT": "f32"]).properties
                == ["INFERENCE_PRECISION_HINT": "f32"])
    }

    @Test func `Only the CPU device is taken`() throws {
        #expect(try parse(model: ["TARGET_DEVICE": "CPU"]).properties.isEmpty)
        #expect(
            error { try parse(model: ["TARGET_DEVICE": "GPU"]) }
                == HalcyonError(
                    .unsupported, "model 'm': parameter 'TARGET_DEVICE' is 'GPU', but only the CPU device is supported")
        )
    }

    @Test(arguments: ["CACHE_DIR", "CPU_EXTENSION_PATH"])
    func `A model can't name paths, the backend can`(name: String) throws {
        #expect(error { try parse(model: [name: "/etc"]) }?.code == .unsupported)
        #expect(error { try parse(backend: [name: "/var/cache"]) } == nil)
    }

    @Test func `A model may switch the cache off`() throws {
        #expect(try parse(backend: ["cache_dir": "/c"]).cacheDirectory == "/c")
        #expect(try parse(backend: ["cache_dir": "/c"], model: ["CACHE_DIR": ""]).cacheDirectory == nil)
    }

    @Test(arguments: ["CACHE_ENCRYPTION_CALLBACKS", "WEIGHTS_PATH", "COMPILED_BLOB"])
    func `Properties that are no text are refused`(name: String) {
        #expect(error { try parse(model: [name: "1"]) }?.code == .unsupported)
    }

    @Test func `An old name is refused with the new one`() {
        #expect(
            error { try parse(model: ["CPU_THREADS_NUM": "2"]) }?.message
                == "model 'm': parameter 'CPU_THREADS_NUM' is an old name: write INFERENCE_NUM_THREADS")
    }

    @Test func `A model's parameters that are not written like properties are somebody else's`() throws {
        let parameters = try parse(model: ["owner": "vision team", "Mixed_Case": "", "NUM_STREAMS": "1"])
        #expect(parameters.ignored == ["Mixed_Case", "owner"])
        #expect(parameters.properties == ["NUM_STREAMS": "1"])
    }
}

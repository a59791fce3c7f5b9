import Foundation
import Halcyon
import HalcyonTestKit
import Testing
import Vision
import VisionBackends

/// Pictures through the backends, alone and as an ensemble around a detector that is made up.
@Suite("Vision backends")
struct VisionBackendsTests {
    private static let preprocessing = """
        backend: "image_preprocessing"
        max_batch_size: 4
        input { name: "FILE" data_type: TYPE_STRING dims: 1 }
        output [ { name: "IMAGE" data_type: TYPE_FP32 dims: [ 3, 8, 8 ] },
                 { name: "MAPPING" data_type: TYPE_FP32 dims: 8 } ]
        """

    private static let boxes = """
        backend: "detection_boxes"
        max_batch_size: 4
        input [ { name: "detection_boxes" data_type: TYPE_FP32 dims: [ 2, 4 ] },
                { name: "detection_scores" data_type: TYPE_FP32 dims: [ 2 ] },
                { name: "MAPPING" data_type: TYPE_FP32 dims: 8 } ]
        output [ { name: "boxes" data_type: TYPE_FP32 dims: [ 2, 4 ] },
                 { name: "scores" data_type: TYPE_FP32 dims: [ 2 ] },
                 { name: "classes" data_type: TYPE_INT32 dims: [ 2 ] },
                 { name: "labels" data_type: TYPE_STRING dims: [ 2 ] },
                 { name: "count" data_type: TYPE_INT32 dims: [ 1 ] } ]
        parameters { key: "labels" value { string_value: "background,person" } }
        """

    private static let ensemble = """
        platform: "ensemble"
        max_batch_size: 4
        input { name: "FILE" data_type: TYPE_STRING dims: 1 }
        output [ { name: "BOXES" data_type: TYPE_FP32 dims: [ 2, 4 ] },
                 { name: "COUNT" data_type: TYPE_INT32 dims: [ 1 ] } ]
        ensemble_scheduling { step [
          { model_name: "decode" input_map { key: "FILE" value: "FILE" }
            output_map { key: "IMAGE" value: "I" } output_map { key: "MAPPING" value: "M" } },
          { model_name: "detect" input_map { key: "IMAGE" value: "I" }
            output_map { key: "detection_boxes" value: "B" } output_map { key: "detection_scores" value: "S" } },
          { model_name: "boxes" input_map { key: "detection_boxes" value: "B" }
            input_map { key: "detection_scores" value: "S" }
            input_map { key: "MAPPING" value: "M" }
            output_map { key: "boxes" value: "BOXES" } output_map { key: "count" value: "COUNT" } }
        ] }
        """

    /// Finds one thing in the right half of every picture.
    private static let detector = ScriptedBackend { batch, _ in
        let count = batch.batchSize
        let boxes = (0..<count).flatMap { _ in [0, 0.5, 1, 1, 0, 0, 0, 0] as [Float] }
        return [
            try Tensor(name: "detection_boxes", shape: [count, 2, 4], boxes),
            try Tensor(
                name: "detection_scores", shape: [count, 2], (0..<count).flatMap { _ in [0.9, 0.1] as [Float] }),
        ]
    }

    /// - Parameter warmUpFile: of every model, the file `own` in its folder `warmup`.
    private func start(_ models: [String: String], warmUpFile: [UInt8]? = nil) throws -> InferenceServer {
        let folder = try TemporaryFolder.make()
        for (name, text) in models {
            let model = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: model.appendingPathComponent("1"), withIntermediateDirectories: true)
            try text.write(to: model.appendingPathComponent("config.pbtxt"), atomically: true, encoding: .utf8)
            guard let warmUpFile else { continue }
            let folder = model.appendingPathComponent("warmup")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(warmUpFile).write(to: folder.appendingPathComponent("own"))
        }
        var options = ServerOptions(repositoryPaths: [folder.path])
        options.modelControlMode = .explicit
        options.backends = VisionBackends.all + [Self.detector]
        return try InferenceServer(options)
    }

    private func file(width: Int, height: Int) throws -> [UInt8] {
        var pixels: [UInt8] = []
        for index in 0..<width * height { pixels += [UInt8(index % 251), 128, 7] }
        return try PictureEncoder.jpeg(Picture(width: width, height: height, pixels: TensorBuffer(copying: pixels)))
    }

    private func request(_ model: String, _ files: [[UInt8]]) throws -> InferenceRequest {
        let bytes = files.flatMap { file in
            withUnsafeBytes(of: UInt32(file.count).littleEndian) { Array($0) } + file
        }
        let tensor = try Tensor(
            name: "FILE", elementType: .bytes, shape: [files.count, 1], data: TensorBuffer(copying: bytes))
        return InferenceRequest(modelName: model, inputs: [tensor])
    }

    @Test("A picture becomes what the plan makes of it, with the way back")
    func preprocess() async throws {
        let server = try start(["decode": Self.preprocessing])
        try await server.loadModel("decode")
        let files = [try file(width: 32, height: 16), try file(width: 4, height: 4)]
        let response = try await server.infer(try request("decode", files))
        let image = try response.output("IMAGE")
        #expect(image.shape == [2, 3, 8, 8])
        let plan = try PreprocessingPlan(elementType: .fp32, dimensions: [3, 8, 8], fit: .letterbox)
        var expected: [UInt8] = []
        for file in files {
            let picture = try file.withUnsafeBytes { try PictureDecoder.decode($0, name: "test") }
            expected += plan.run(picture).item.withUnsafeBytes { Array($0) }
        }
        #expect(image.data.withUnsafeBytes { Array($0) } == expected)
        let mapping = try response.output("MAPPING").elements(as: Float.self)
        #expect(mapping == [4, 4, 0, 2, 32, 16, 8, 8] + [0.5, 0.5, 0, 0, 4, 4, 8, 8])
        await server.shutdown()
    }

    @Test("What is no picture is the client's fault, and says which")
    func damaged() async throws {
        let server = try start(["decode": Self.preprocessing])
        try await server.loadModel("decode")
        for (bytes, complaint) in [([], "is empty"), ([1, 2, 3], "is neither JPEG nor PNG")] as [([UInt8], String)] {
            let error = await #expect(throws: HalcyonError.self) {
                try await server.infer(try request("decode", [try file(width: 2, height: 2), bytes]))
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("the picture 'item 1' \(complaint)") == true, "\(error?.message ?? "")")
        }
        await server.shutdown()
    }

    @Test("A damaged picture fails its own request and none of those that share its batch")
    func damagedInBatch() async throws {
        let server = try start([
            "decode": Self.preprocessing + "\ndynamic_batching { max_queue_delay_microseconds: 60000000 }"
        ])
        try await server.loadModel("decode")
        let outcomes = Collected<(Int, Result<InferenceResponse, HalcyonError>)>()
        for index in 0..<4 {
            let bytes = index == 2 ? [1, 2, 3] : try file(width: 32, height: 16)
            server.submit(try request("decode", [bytes])) { outcomes.add((index, $0)) }
        }
        for (index, result) in await outcomes.wait(for: 4) {
            if case .failure(let error) = result {
                #expect(index == 2 && error.message.contains("the picture 'item 0' is neither JPEG nor PNG"))
            } else {
                #expect(index != 2)
            }
        }
        let statistics = try server.statistics(model: "decode").models[0]
        #expect(statistics.success.count == 3 && statistics.fail.count == 1)
        #expect(statistics.executionCount == 3 && statistics.batches.map(\.batchSize) == [1])
        await server.shutdown()
    }

    @Test("A warm-up sample's own picture is decoded")
    func sample() async throws {
        let text =
            Self.preprocessing
            + "\nmodel_warmup { name: \"own\" batch_size: 1 inputs { key: \"FILE\" value { data_type: TYPE_STRING "
            + "dims: 1 input_data_file: \"own\" } } }"
        let server = try start(["decode": text], warmUpFile: [3, 0, 0, 0, 1, 2, 3])
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("decode") }
        #expect(error?.message.contains("is neither JPEG nor PNG") == true, "\(error?.message ?? "")")
        await server.shutdown()
    }

    @Test("JPEG in, boxes in the picture's own pixels out")
    func ensemble() async throws {
        let detect = """
            backend: "scripted"
            max_batch_size: 4
            input { name: "IMAGE" data_type: TYPE_FP32 dims: [ 3, 8, 8 ] }
            output [ { name: "detection_boxes" data_type: TYPE_FP32 dims: [ 2, 4 ] },
                     { name: "detection_scores" data_type: TYPE_FP32 dims: [ 2 ] } ]
            """
        let server = try start([
            "decode": Self.preprocessing, "detect": detect, "boxes": Self.boxes, "people": Self.ensemble,
        ])
        try await server.loadModel("people")
        // 32 x 16 in a letterbox of 8 x 8: rows 2 to 6 hold the picture, and half of it is 16 pixels wide.
        let response = try await server.infer(try request("people", [try file(width: 32, height: 16)]))
        #expect(try response.output("COUNT").elements(as: Int32.self) == [1])
        #expect(try response.output("BOXES").elements(as: Float.self) == [16, 0, 32, 16, 0, 0, 0, 0])
        #expect(await server.shutdown().isClean)
    }

    @Test("All outputs of the boxes, padded")
    func allOutputs() async throws {
        let server = try start(["boxes": Self.boxes])
        try await server.loadModel("boxes")
        let inputs = [
            try Tensor(name: "detection_boxes", shape: [1, 2, 4], [0, 0, 0.5, 0.5, 0, 0, 1, 1] as [Float]),
            try Tensor(name: "detection_scores", shape: [1, 2], [0.3, 0.8] as [Float]),
            try Tensor(name: "MAPPING", shape: [1, 8], [2, 2, 0, 0, 16, 16, 8, 8] as [Float]),
        ]
        let response = try await server.infer(InferenceRequest(modelName: "boxes", inputs: inputs))
        #expect(try response.output("boxes").elements(as: Float.self) == [0, 0, 16, 16, 0, 0, 0, 0])
        #expect(try response.output("scores").elements(as: Float.self) == [0.8, 0])
        #expect(try response.output("classes").elements(as: Int32.self) == [1, 0])
        #expect(try response.output("labels").data.byteCount == 4 + "person".utf8.count + 4)
        await server.shutdown()
    }

    @Test(
        "What they can't do is a load error",
        arguments: [
            ("decode", "dims: [ 3, 8, 8 ]", "dims: [ 2, 8, 8 ]", "is no picture"),
            ("decode", "TYPE_STRING", "TYPE_UINT8", "needs one input of TYPE_STRING"),
            (
                "decode", "name: \"MAPPING\" data_type: TYPE_FP32 dims: 8", "name: \"M\" data_type: TYPE_FP32 dims: 6",
                "dims: [ 8 ]"
            ),
            ("boxes", "name: \"scores\"", "name: \"score\"", "output 'score' is none"),
            ("boxes", "\"labels\" value", "\"label\" value", "has no parameter 'label'"),
            ("boxes", "detection_scores", "scores_of_detection", "no detection head"),
            ("boxes", "dims: 8 }", "dims: 7 }", "the picture's mapping"),
            (
                "decode", "dims: [ 3, 8, 8 ]", "dims: [ 3, 1000000, 1000000 ]",
                "makes pictures of up to 1073741824 bytes; output 'IMAGE' has 12000000000000"
            ),
        ])
    func complaints(model: String, from: String, to: String, complaint: String) async throws {
        let text = (model == "decode" ? Self.preprocessing : Self.boxes).replacing(from, with: to)
        let server = try start([model: text])
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel(model) }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        await server.shutdown()
    }

    @Test("Outputs have room for as many boxes as can be made")
    func rows() async throws {
        let text = """
            backend: "detection_boxes"
            input [ { name: "detection_boxes" data_type: TYPE_FP32 dims: [ 2, 4 ] },
                    { name: "detection_scores" data_type: TYPE_FP32 dims: [ 2 ] },
                    { name: "MAPPING" data_type: TYPE_FP32 dims: 8 } ]
            output [ { name: "boxes" data_type: TYPE_FP32 dims: [ 1000000000000, 4 ] } ]
            """
        let server = try start(["boxes": text])
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("boxes") }
        #expect(error?.message.contains("gives up to 100000 boxes") == true, "\(error?.message ?? "")")
        await server.shutdown()
    }
}

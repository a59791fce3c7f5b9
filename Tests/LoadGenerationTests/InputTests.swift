import LoadGeneration
import Tensors
import Testing

@Suite("Inputs of requests")
struct InputTests {
    private func model(_ ports: [ModelDescription.Port], maxBatchSize: Int = 8) -> ModelDescription {
        ModelDescription(name: "m", version: "", maxBatchSize: maxBatchSize, inputs: ports, outputs: [])
    }

    private func port(_ name: String, _ type: ElementType, _ shape: TensorShape, isOptional: Bool = false)
        -> ModelDescription.Port
    {
        .init(name: name, elementType: type, shape: shape, isOptional: isOptional)
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was refused"
        } catch {
            return HalcyonError(wrapping: error).message
        }
    }

    @Test("Made-up inputs have the batch, and optional ones are left out", arguments: ElementType.allCases)
    func made(type: ElementType) throws {
        let model = model([port("A", type, [2, 3]), port("B", type, [1], isOptional: true)])
        for content in TensorMaker.Content.allCases {
            let data = try RequestData.made(
                for: model, batch: 4, shapes: .none, by: TensorMaker(content, textLength: 5))
            let steps = data.steps
            #expect(steps.count == 8)
            let tensor = try #require(steps.first?.first)
            #expect(steps.allSatisfy { $0.count == 1 })
            #expect(tensor.shape == [4, 2, 3])
            #expect(tensor.data.byteCount == 24 * (type.byteSize ?? (content == .zero ? 4 : 9)))
        }
    }

    @Test("Random numbers lie where models expect them, and a seed brings them again")
    func random() throws {
        var maker = TensorMaker(.random, seed: 3)
        let floats = try maker.tensor("A", .fp32, [1000]).elements(as: Float.self)
        #expect(floats.allSatisfy { (0..<1).contains($0) })
        #expect(Set(floats).count > 900)
        #expect(try maker.tensor("A", .int64, [1000]).elements(as: Int64.self).allSatisfy { (0..<128).contains($0) })
        #expect(try maker.tensor("A", .bool, [100]).data.withUnsafeBytes { Set($0) } == [0, 1])
        var again = TensorMaker(.random, seed: 3)
        #expect(try again.tensor("A", .fp32, [1000]).elements(as: Float.self) == floats)
    }

    @Test("An open dimension asks for --shape, which may have the batch or not")
    func shapes() throws {
        let model = model([port("IN", .fp32, [3, -1])])
        let open = message { _ = try RequestData.made(for: model, batch: 2, shapes: .none, by: TensorMaker(.zero)) }
        #expect(open.contains("--shape IN:3,16"))
        for text in ["IN:3,7", "IN:2,3,7"] {
            let data = try RequestData.made(
                for: model, batch: 2, shapes: try InputShapes(parsing: [text]), by: TensorMaker(.zero))
            #expect(data.steps.first?.first?.shape == [2, 3, 7])
        }
        for (text, complaint) in [
            ("IN:4,7", "does not fit"), ("OUT:3,7", "has no input 'OUT', but 'IN'"), ("IN", "--shape takes"),
            ("IN:3,x", "--shape takes"), (":3", "--shape takes"),
        ] {
            let refused = message {
                _ = try RequestData.made(
                    for: model, batch: 2, shapes: try InputShapes(parsing: [text]), by: TensorMaker(.zero))
            }
            #expect(refused.contains(complaint), "\(text): \(refused)")
        }
    }

    @Test("A batch that the model does not take is refused")
    func batches() {
        let over = message {
            _ = try RequestData.made(
                for: model([port("A", .fp32, [1])]), batch: 9, shapes: .none, by: TensorMaker(.zero))
        }
        #expect(over.contains("up to 8, got --batch 9"))
        let none = message {
            _ = try RequestData.made(
                for: model([port("A", .fp32, [1])], maxBatchSize: 0), batch: 2, shapes: .none, by: TensorMaker(.zero))
        }
        #expect(none.contains("takes no batches"))
    }

    private func parse(_ text: String, _ model: ModelDescription, batch: Int = 1, shapes: [String] = []) throws
        -> RequestData
    {
        try InputDataFile.parse(
            Array(text.utf8), name: "f.json", for: model, shapes: try InputShapes(parsing: shapes), batch: batch)
    }

    @Test("perf_analyzer's forms: lists, content with a shape, base64, and steps of sequences")
    func forms() throws {
        let model = model([port("A", .fp32, [2]), port("T", .bytes, [1])])
        let data = try parse(
            """
            {"data": [{"A": [1, 2.5], "T": ["x"]}, {"A": {"content": [[3], [4]], "shape": [2]}, "T": {"b64": "aGk="}}]}
            """, model)
        #expect(data.steps.count == 2)
        #expect(try data.steps[1][0].elements(as: Float.self) == [3, 4])
        #expect(data.steps[0][0].shape == [1, 2])
        #expect(data.steps[1][1].data.withUnsafeBytes { Array($0) } == [2, 0, 0, 0] + Array("hi".utf8))
        let nested = try parse(
            #"{"data": [[{"A": [1, 2], "T": ["a"]}, {"A": [3, 4], "T": ["b"]}], [{"A": [5, 6], "T": ["c"]}]]}"#, model)
        #expect(nested.streams.map(\.count) == [2, 1])
    }

    @Test("What of a file nothing is done with is said")
    func leftAside() throws {
        let data = try parse(
            #"{"data": [{"A": [1]}], "validation_data": [{"B": [1]}], "seed": 3}"#, model([port("A", .int32, [1])]))
        #expect(
            data.notices == [
                "f.json: \"validation_data\" is not looked at: answers are counted and timed, not compared",
                "f.json: \"seed\" means nothing here; inputs are in \"data\"",
            ])
        #expect(try parse(#"{"data": [{"A": [1]}]}"#, model([port("A", .int32, [1])])).notices.isEmpty)
    }

    @Test("Items become batches, and every item is in some")
    func batched() throws {
        let data = try parse(
            #"{"data": [{"A": [1]}, {"A": [2]}, {"A": [3]}]}"#, model([port("A", .int32, [1])]), batch: 2)
        #expect(try data.steps.map { try $0[0].elements(as: Int32.self) } == [[1, 2], [2, 3], [3, 1]])
        #expect(data.steps[0][0].shape == [2, 1])
    }

    @Test("One open dimension follows from the elements")
    func openDimension() throws {
        let model = model([port("A", .uint8, [-1, 2])])
        #expect(try parse(#"{"data": [{"A": [1, 2, 3, 4]}]}"#, model).steps[0][0].shape == [1, 2, 2])
        #expect(try parse(#"{"data": [{"A": [1, 2]}]}"#, model, shapes: ["A:1,2"]).steps[0][0].shape == [1, 1, 2])
    }

    @Test(
        "Halves are the nearest, with ties to even",
        arguments: [
            (1.0, 0x3C00), (-2, 0xC000), (65504, 0x7BFF), (65520, 0x7C00), (6e-8, 0x0001), (0.1, 0x2E66),
            (2049, 0x6800), (2051, 0x6802),
            (0, 0),
        ])
    func halves(value: Double, bits: Int) throws {
        let data = try parse(#"{"data": [{"A": [\#(value)]}]}"#, model([port("A", .fp16, [1])]))
        #expect(data.steps[0][0].data.withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) } == UInt16(bits))
    }

    @Test(
        "A broken file is refused in a sentence that says where",
        arguments: [
            ("{", "f.json is no JSON text"), ("[]", "\"data\""), (#"{"data": []}"#, "\"data\""),
            (#"{"data": [1]}"#, "data[0]: expected an object"),
            (#"{"data": [{"B": [1]}]}"#, "has no input 'B', but 'A'"),
            (#"{"data": [{}]}"#, "'A' is missing"), (#"{"data": [{"A": [1]}]}"#, "expected 2 elements"),
            (#"{"data": [{"A": [1, "x"]}]}"#, #"data[0].A[1]: "x" is no INT8"#),
            (#"{"data": [{"A": [1, 200]}]}"#, "200 is no INT8"), (#"{"data": [{"A": {"b64": "?"}}]}"#, "no base64"),
            (#"{"data": [{"A": {"content": [1, 2], "shape": [3]}}]}"#, "does not fit"),
            (#"{"data": [{"A": 1}]}"#, "list"),
            (#"{"data": [[]]}"#, "data[0]: expected a list of items"),
        ])
    func broken(text: String, complaint: String) {
        let refused = message { _ = try parse(text, model([port("A", .int8, [2])])) }
        #expect(refused.contains(complaint), "\(refused)")
    }

    @Test("A folder without pictures is refused")
    func pictures() {
        let model = model([port("A", .bytes, [1])])
        #expect(message { _ = try PictureFolder.requests("/nosuch", for: model, batch: 1) }.contains("can't be read"))
        #expect(message { _ = try PictureFolder.requests("/proc/self/task", for: model, batch: 1) }.contains("no .jpg"))
        let two = self.model([port("A", .bytes, [1]), port("B", .bytes, [1])])
        #expect(message { _ = try PictureFolder.requests("/", for: two, batch: 1) }.contains("has 2"))
    }
}

import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("Samples of model_warmup")
struct WarmUpSampleTests {
    /// Remembers the inputs of its batches.
    private final class Recorder: Sendable {
        let batches = Collected<[Float]>()

        func backend() -> ScriptedBackend {
            ScriptedBackend { [batches] batch, identity in
                batches.add(try batch.input("IN").elements(as: Float.self))
                return try ScriptedBackend.echo()(&batch, identity)
            }
        }
    }

    private static func sample(_ fields: String, data: String, dims: String = "[ 4 ]") -> String {
        """
        model_warmup [ { name: "sample" \(fields)
                         inputs { key: "IN" value { data_type: TYPE_FP32 dims: \(dims) \(data) } } } ]
        """
    }

    /// The batches that loading the model has run, except for those of zeros that follow in any case.
    private func batches(_ lines: String, file: [Float]? = nil) async throws -> [[Float]] {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "scripted", lines: lines)
        if let file {
            try FileManager.default.createDirectory(
                atPath: "\(repository.path)/echo/warmup", withIntermediateDirectories: true)
            try file.withUnsafeBytes { Data($0) }.write(
                to: URL(fileURLWithPath: "\(repository.path)/echo/warmup/values"))
        }
        let recorder = Recorder()
        let server = try startServer(repository, backends: [recorder.backend()])
        do {
            try await server.loadModel("echo")
        } catch {
            await server.shutdown()
            throw error
        }
        #expect(try server.statistics(model: "echo").models[0].executionCount == 0)
        await server.shutdown()
        let all = recorder.batches.values
        #expect(all.suffix(2) == [[0, 0, 0, 0], [0, 0, 0, 0]])
        return all.dropLast(2)
    }

    @Test("A file's values reach the model, as often as asked for, in batches of the size asked for")
    func file() async throws {
        let data = "input_data_file: \"values\""
        let values: [Float] = [1, 2, 3, 4]
        #expect(try await batches(Self.sample("batch_size: 1", data: data), file: values) == [values])
        #expect(
            try await batches(Self.sample("count: 3 batch_size: 2", data: data), file: values)
                == Array(repeating: values + values, count: 3))
    }

    @Test("Random values are random, and zeros are none")
    func made() async throws {
        let random = try await batches(Self.sample("batch_size: 1", data: "random_data: false"))
        #expect(random.count == 1 && random[0].count == 4 && Set(random[0].map(\.bitPattern)).count == 4)
        #expect(
            try await batches(Self.sample("batch_size: 3", data: "zero_data: false")) == [
                [Float](repeating: 0, count: 12)
            ])
    }

    @Test("Every instance runs each sample")
    func instances() async throws {
        let lines =
            Self.sample("count: 2 batch_size: 1", data: "zero_data: true")
            + " instance_group { count: 3 kind: KIND_CPU }"
        // Six of the sample, and two instances that run the zeros once.
        #expect(try await batches(lines).count == 8)
    }

    @Test("A sample of no items is not run, an empty one neither, and a name is not needed")
    func skipped() async throws {
        #expect(try await batches(Self.sample("", data: "zero_data: true", dims: "[ 9 ]")).isEmpty)
        #expect(try await batches("model_warmup [ { } ]").isEmpty)
        let nameless = Self.sample("batch_size: 1", data: "zero_data: true").replacing("name: \"sample\"", with: "")
        #expect(try await batches(nameless).count == 1)
    }

    @Test("A model that does not batch has samples of one item")
    func withoutBatches() async throws {
        let repository = try TemporaryRepository()
        func text(_ batchSize: Int) -> String {
            """
            backend: "scripted"
            input [ { name: "IN" data_type: TYPE_FP32 dims: [ 2, 2 ] } ]
            output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 2, 2 ] } ]
            model_warmup [ { name: "sample" batch_size: \(batchSize)
                             inputs { key: "IN" value { data_type: TYPE_FP32 dims: [ 2, 2 ] random_data: true } } } ]
            """
        }
        try repository.add("echo", configuration: text(1))
        let recorder = Recorder()
        let server = try startServer(repository, backends: [recorder.backend()])
        try await server.loadModel("echo")
        #expect(recorder.batches.values.count == 3, "the sample, and zeros twice")
        try repository.write("echo", text(2))
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("echo") }
        #expect(error?.message.contains("it has batch_size 2, and max_batch_size of 'echo' is 0") == true)
        await server.shutdown()
    }

    @Test("The model's own parameter and the server's option switch the zeros off")
    func switched() async throws {
        let repository = try TemporaryRepository()
        let parameter = "parameters { key: \"automatic_warmup\" value { string_value: \"false\" } }"
        try repository.add("off", backend: "scripted", lines: parameter)
        try repository.add("on", backend: "scripted", lines: parameter.replacing("false", with: "true"))
        try repository.add("open", backend: "scripted")
        try repository.add("wrong", backend: "scripted", lines: parameter.replacing("false", with: "maybe"))
        let recorder = Recorder()
        let server = try startServer(repository, backends: [recorder.backend()])
        try await server.loadModel("off")
        #expect(recorder.batches.values.isEmpty)
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("wrong") }
        #expect(
            error?.message
                == "load failed for model 'wrong': model 'wrong': the parameter 'automatic_warmup' is true or false, "
                + "got 'maybe'"
        )
        await server.shutdown()
        let cold = try startServerWithoutWarmUp(repository, backends: [recorder.backend()])
        try await cold.loadModel("open")
        #expect(recorder.batches.values.isEmpty)
        try await cold.loadModel("on")
        #expect(recorder.batches.values.count == 2)
        await cold.shutdown()
    }

    @Test(
        "What a sample can't be is a load error that names it",
        arguments: [
            (
                sample("batch_size: 1", data: "input_data_file: \"values\""), [1, 2, 3] as [Float]?,
                "warmup sample 'sample' of model 'echo'"
            ),
            (
                sample("batch_size: 1", data: "input_data_file: \"other\""), [1, 2, 3, 4],
                "warmup sample 'sample' of model 'echo'"
            ),
            (sample("batch_size: 1", data: "zero_data: true", dims: "[ 5 ]"), nil, "warmup sample 'sample': "),
            (
                sample("batch_size: 1 count: 2147483648", data: "zero_data: true"), nil,
                "warmup sample 'sample' of echo has count 2147483648, and at most 10000 are run"
            ),
            (sample("batch_size: 1", data: ""), nil, "needs one of zero_data, random_data and input_data_file"),
            (
                sample("batch_size: 9", data: "zero_data: true"), nil,
                "has batch_size 9, and max_batch_size of echo is 8"
            ),
        ])
    func complaints(lines: String, file: [Float]?, complaint: String) async throws {
        let error = await #expect(throws: HalcyonError.self) { try await batches(lines, file: file) }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    @Test("Values that would take too much memory are not made")
    func tooLarge() async throws {
        let repository = try TemporaryRepository()
        let lines = Self.sample("batch_size: 1", data: "random_data: true", dims: "[ 1000000000 ]")
        try repository.add("echo", backend: "scripted", dimensions: -1, lines: lines)
        let server = try startServer(repository, backends: [Recorder().backend()])
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("echo") }
        #expect(
            error?.message.contains(
                "warmup sample 'sample' of model 'echo': input 'IN' of shape [1,1000000000] is larger than the "
                    + "1073741824 bytes that all samples may have together") == true, "\(error?.message ?? "")")
        await server.shutdown()
    }
}

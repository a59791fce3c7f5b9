import Foundation
import Halcyon
import HalcyonTestKit
import RepeatBackend
import Testing

@Suite("Repeat backend")
struct RepeatBackendTests {
    private func start(_ configuration: String) throws -> InferenceServer {
        let folder = try TemporaryFolder.make()
        let model = folder.appendingPathComponent("repeat")
        try FileManager.default.createDirectory(
            at: model.appendingPathComponent("1"), withIntermediateDirectories: true)
        try configuration.write(to: model.appendingPathComponent("config.pbtxt"), atomically: true, encoding: .utf8)
        var options = ServerOptions(repositoryPaths: [folder.path])
        options.modelControlMode = .explicit
        return try InferenceServer(options)
    }

    private static let configuration = """
        backend: "repeat"
        max_batch_size: 0
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] },
                { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] optional: true } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
        model_transaction_policy { decoupled: true }
        """

    @Test("One response for each number")
    func numbers() async throws {
        let server = try start(Self.configuration)
        try await server.loadModel("repeat")
        let input = try Tensor(name: "IN", shape: [3], [7, -1, 5] as [Int32])
        var seen: [Int32] = []
        for try await response in server.responses(to: InferenceRequest(modelName: "repeat", inputs: [input])) {
            #expect(try response.output("IDX").elements(as: UInt32.self) == [UInt32(seen.count)])
            seen += try response.output("OUT").elements(as: Int32.self)
        }
        #expect(seen == [7, -1, 5])
        let delays = try Tensor(name: "DELAY", shape: [1], [0] as [UInt32])
        await #expect(throws: HalcyonError.self) {
            for try await _ in server.responses(to: InferenceRequest(modelName: "repeat", inputs: [input, delays])) {}
        }
        await server.shutdown()
    }

    @Test("With WAIT the responses go on when the instance is free again")
    func wait() async throws {
        let text = Self.configuration.replacing(
            "input [ {", with: "input [ { name: \"WAIT\" data_type: TYPE_UINT32 dims: [ 1 ] }, {")
        let server = try start(text)
        try await server.loadModel("repeat")
        let input = try Tensor(name: "IN", shape: [2], [7, 5] as [Int32])
        let wait = try Tensor(name: "WAIT", shape: [1], [0] as [UInt32])
        var seen: [Int32] = []
        for try await response in server.responses(to: InferenceRequest(modelName: "repeat", inputs: [input, wait])) {
            seen += try response.output("OUT").elements(as: Int32.self)
        }
        #expect(seen == [7, 5])
        await server.shutdown()
    }

    @Test(
        "What it can't do is a load error",
        arguments: [
            ("model_transaction_policy { decoupled: true }", "", "needs model_transaction_policy"),
            ("name: \"IN\"", "name: \"INPUT\"", "needs an input 'IN'"),
            ("name: \"DELAY\"", "name: \"LATER\"", "has no input 'LATER' but DELAY"),
            ("name: \"IDX\"", "name: \"INDEX\"", "has no output 'INDEX' but IDX"),
            (
                "\"OUT\" data_type: TYPE_INT32", "\"OUT\" data_type: TYPE_FP32",
                "needs an output 'OUT' of the type of 'IN'"
            ),
        ])
    func complaints(from: String, to: String, complaint: String) async throws {
        let server = try start(Self.configuration.replacing(from, with: to))
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("repeat") }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        await server.shutdown()
    }
}

import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("What a model is told of its sequences")
struct SequenceControlTests {
    /// The bytes of the input `ID` of each batch.
    private let ids = Collected<[UInt8]>()
    private let states = Collected<[Float]>()

    private func backend(_ gate: Gate? = nil) -> ScriptedBackend {
        ScriptedBackend { [ids, states] batch, _ in
            gate?.pass()
            ids.add(try batch.input("ID").data.withUnsafeBytes { Array($0) })
            let state = try batch.input("SUM_IN")
            states.add(try state.elements(as: Float.self))
            var outputs = try ScriptedBackend.echo()(&batch, InstanceIdentity(name: "test", kind: .cpu, index: 0))
            outputs.append(state)
            outputs[outputs.count - 1].name = "SUM_OUT"
            return outputs
        }
    }

    private static func lines(_ type: String, initial: String = "zero_data: true") -> String {
        """
        sequence_batching {
          direct { }
          max_sequence_idle_microseconds: 60000000
          control_input { name: "ID" control { kind: CONTROL_SEQUENCE_CORRID data_type: \(type) } }
          state { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_FP32 dims: [ 2 ]
                  initial_state { data_type: TYPE_FP32 dims: [ 2 ] \(initial) name: "first" } }
        }
        """
    }

    private func start(
        _ lines: String, gate: Gate? = nil, initialState: [Float]? = nil
    ) async throws -> InferenceServer {
        let repository = try TemporaryRepository()
        try repository.add("told", backend: "scripted", lines: lines)
        if let initialState {
            let folder = "\(repository.path)/told/initial_state"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try initialState.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: "\(folder)/values"))
        }
        let server = try startServerWithoutWarmUp(repository, backends: [backend(gate)])
        do {
            try await server.loadModel("told")
        } catch {
            await server.shutdown()
            throw error
        }
        return server
    }

    private func request(_ id: InferenceSequence.ID, end: Bool = true) throws -> InferenceRequest {
        var request = try HalcyonTests.request("told", 1)
        request.sequence = InferenceSequence(id: id, isStart: true, isEnd: end)
        return request
    }

    @Test(
        "A correlation id reaches the model in the type that it takes",
        arguments: [
            ("TYPE_UINT64", .number(1 << 40), [0, 0, 0, 0, 0, 1, 0, 0]),
            ("TYPE_INT64", .number(1 << 40), [0, 0, 0, 0, 0, 1, 0, 0]),
            ("TYPE_INT64", .number(.max), [255, 255, 255, 255, 255, 255, 255, 255]),
            ("TYPE_UINT32", .number(258), [2, 1, 0, 0]), ("TYPE_INT32", .number(258), [2, 1, 0, 0]),
            ("TYPE_UINT32", .number(0xFFFF_FFFF), [255, 255, 255, 255]),
            ("TYPE_STRING", .text("cam"), [3, 0, 0, 0, 99, 97, 109]),
        ] as [(String, InferenceSequence.ID, [UInt8])])
    func types(type: String, id: InferenceSequence.ID, bytes: [UInt8]) async throws {
        let server = try await start(Self.lines(type))
        _ = try await server.infer(try request(id))
        #expect(ids.values == [bytes])
        await server.shutdown()
    }

    @Test(
        "One that the type can't hold is refused, and fails nobody else's request",
        arguments: [
            ("TYPE_UINT32", .number(7), .number((1 << 32) + 7), "which is UINT32 and takes ids up to 4294967295"),
            ("TYPE_INT32", .number(7), .number(1 << 32), "which is INT32 and takes ids up to 4294967295"),
            ("TYPE_UINT64", .number(7), .text("x"), "sequence id 'x' can't be handed to input 'ID', which is UINT64"),
            ("TYPE_UINT64", .number(7), .text(""), "must specify a non-zero or non-empty correlation ID"),
            ("TYPE_STRING", .text("x"), .number(7), "sequence id '7' can't be handed to input 'ID', which is BYTES"),
        ] as [(String, InferenceSequence.ID, InferenceSequence.ID, String)])
    func refused(type: String, good: InferenceSequence.ID, bad: InferenceSequence.ID, complaint: String) async throws {
        let gate = Gate()
        let server = try await start(Self.lines(type), gate: gate)
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        // The first holds the instance, so that what follows would share a batch.
        server.submit(try request(good, end: false)) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        server.submit(try request(bad)) { outcomes.add($0) }
        #expect(outcomes.values.first?.failure?.code == .invalidArgument, "it is refused before it waits")
        #expect(outcomes.values.first?.failure?.message.contains(complaint) == true, "\(outcomes.values)")
        server.submit(try request(good)) { outcomes.add($0) }
        gate.open()
        #expect(await outcomes.wait(for: 3).dropFirst().allSatisfy { $0.failure == nil })
        await server.shutdown()
    }

    @Test("A sequence begins with the state that a file has")
    func initialState() async throws {
        let lines = Self.lines("TYPE_UINT64", initial: "data_file: \"values\"")
        let server = try await start(lines, initialState: [3, 4])
        for id in UInt64(1)...2 { _ = try await server.infer(try request(.number(id))) }
        #expect(states.values == [[3, 4], [3, 4]])
        await server.shutdown()
    }

    @Test(
        "A file that is no state is a load error",
        arguments: [
            ("values", [3] as [Float], "model 'told', the initial state of 'SUM_IN'"), ("others", [3, 4], "others"),
            ("../config.pbtxt", [3, 4], "leads out of the folder 'initial_state'"),
        ])
    func badFile(name: String, values: [Float], complaint: String) async throws {
        let lines = Self.lines("TYPE_UINT64", initial: "data_file: \"\(name)\"")
        let error = await #expect(throws: HalcyonError.self) { _ = try await start(lines, initialState: values) }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }
}

import Halcyon
import HalcyonTestKit
import ModelRuntime
import Tensors
import Testing

@testable import TritonInterface

@Suite("A backend in C that calls every function", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct ExerciseTests {
    private enum What: Int32, CaseIterable {
        case echo, fail, later, refuse, twice, afterFinal, noAnswer, tell, memory, many, cancelled, deleted, wrongType
    }

    private func request(_ model: String, _ numbers: [Int32], shape: TensorShape? = nil) throws -> InferenceRequest {
        InferenceRequest(
            modelName: model, inputs: [try Tensor(name: "IN", shape: shape ?? [numbers.count], numbers)])
    }

    @Test("requests are answered at once, later and from another thread, with errors, and after faults of the backend")
    func requests() async throws {
        let backend = try ExerciseBackend(["plain": ExerciseBackend.tensors])
        let server = try backend.server()
        try await server.waitUntilReady()
        for what in [What.echo, .later, .twice, .afterFinal, .tell, .memory, .deleted, .many] {
            let response = try await server.infer(try request("plain", [what.rawValue, 1, 3]))
            #expect(try response.output("OUT").elements(as: Int32.self) == [what.rawValue, 1, 3], "\(what)")
        }
        for (what, words) in [
            (What.fail, "as the request asks"), (.refuse, "nothing was taken"), (.noAnswer, "without an answer"),
            (.wrongType, "returned output 'OUT' as FP32, expected INT32"),
        ] {
            let error = await #expect(throws: HalcyonError.self) {
                try await server.infer(try request("plain", [what.rawValue, 1]))
            }
            #expect(error?.message.contains(words) == true, "\(what): \(error?.message ?? "")")
        }
        await server.shutdown()
    }

    @Test("a request's parameters, id, sequence and timeout reach the backend, and its parameters the caller")
    func parameters() async throws {
        let backend = try ExerciseBackend(["plain": ExerciseBackend.tensors])
        let server = try backend.server()
        try await server.waitUntilReady()
        var asked = try request("plain", [What.tell.rawValue])
        asked.id = "mine"
        asked.timeout = .seconds(3)
        asked.sequence = InferenceSequence(id: .number(9), isStart: true, isEnd: true)
        asked.parameters = [
            InferenceParameter("text", .string("a")), InferenceParameter("number", .integer(-4)),
            InferenceParameter("flag", .bool(true)), InferenceParameter("part", .number(0.5)),
        ]
        let response = try await server.infer(asked)
        let told = Dictionary(uniqueKeysWithValues: response.parameters.map { ($0.name, $0.value) })
        #expect(told["id"] == .string("mine") && told["correlation"] == .integer(9) && told["flags"] == .integer(3))
        #expect(told["timeout"] == .integer(3_000_000))
        #expect(told["text"] == .string("a") && told["number"] == .integer(-4) && told["flag"] == .bool(true))
        #expect(told["part"] == .number(0.5))
        await server.shutdown()
    }

    @Test("a decoupled model gives any number of responses")
    func decoupled() async throws {
        let backend = try ExerciseBackend([
            "stream": "model_transaction_policy { decoupled: true }\n" + ExerciseBackend.tensors
        ])
        let server = try backend.server()
        try await server.waitUntilReady()
        for count in [Int32(0), 1, 20] {
            var responses = 0
            for try await response in server.responses(to: try request("stream", [What.many.rawValue, count])) {
                #expect(try response.output("OUT").elements(as: Int32.self) == [What.many.rawValue, count])
                responses += 1
            }
            #expect(responses == Int(count))
        }
        await server.shutdown()
    }

    @Test("batches are handed over request by request")
    func batches() async throws {
        let backend = try ExerciseBackend([
            "batched": "max_batch_size: 8\ndynamic_batching { }\n" + ExerciseBackend.tensors
        ])
        let server = try backend.server()
        try await server.waitUntilReady()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<16 {
                group.addTask {
                    let numbers = [Int32(index % 2 == 0 ? 0 : 2), Int32(index)]
                    let response = try? await server.infer(try request("batched", numbers, shape: [1, 2]))
                    #expect((try? response?.output("OUT").elements(as: Int32.self)) == numbers)
                }
            }
        }
        await server.shutdown()
    }

    @Test("a configuration is completed by the backend, and a model that it refuses does not load")
    func models() async throws {
        let backend = try ExerciseBackend([
            "completed": "",
            "refused": "parameters { key: \"refuses\" value { string_value: \"yes\" } }\n"
                + ExerciseBackend.tensors,
        ])
        let server = try backend.server()
        let error = await #expect(throws: HalcyonError.self) { try await server.waitUntilReady() }
        #expect(error?.message.contains("this model is refused") == true)
        let configuration = try server.modelConfiguration("completed")
        #expect(configuration.maxBatchSize == 3)
        #expect(configuration.inputs.map(\.name) == ["IN"])
        _ = try await server.infer(try request("completed", [0, 1], shape: [1, 2]))
        await server.shutdown()
    }
}

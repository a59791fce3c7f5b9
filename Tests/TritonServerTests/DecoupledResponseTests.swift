import CTriton
import HalcyonTestKit
import Tensors
import Testing

@Suite("Responses of a decoupled C backend", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct DecoupledResponseTests {
    private static let speaker = """
        backend: "speaker"
        model_transaction_policy { decoupled: true }
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        """

    /// What the program is told of each response: the number in it, or that it is an error or none; with `!` the last.
    private func told(_ plan: [Int32], on fixture: Fixture) throws -> ([String], Seen.State) {
        let call = try Call(fixture, "speaker")
        try call.add(plan, shape: [Int64(plan.count)])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.last?.isFinal == true && $0.releases == 1 }
        let words = seen.responses.map { response in
            let word = response.error?.message ?? (response.isNull ? "none" : "\(int32s(response.outputs["OUT"]))")
            return word + (response.isFinal ? "!" : "")
        }
        return (words, seen)
    }

    @Test("An error among the responses is one of them, and the last where the backend says so")
    func errors() throws {
        let folder = try Folder()
        try CLibrary.compile(Fixture.library("speaker"), to: "\(folder.path)/speaker/libtriton_speaker.so")
        let fixture = try Fixture(["speaker": Self.speaker]) {
            try check(TRITONSERVER_ServerOptionsSetBackendDirectory($0, folder.path))
        }
        let error = "as the request asks"
        for (plan, expected) in [
            ([1, 2, 1, 0], ["[0]", error, "[2]", "none!"]), ([1, 2, 0], ["[0]", error, "none!"]),
            ([1, 4], ["[0]", error + "!"]), ([2, 2, 3], [error, error, "[2]!"]), ([4], [error + "!"]),
            ([1, 3], ["[0]", "[1]!"]), ([0], ["none!"]), ([5], ["nothing was taken!"]),
        ] as [([Int32], [String])] {
            let (words, seen) = try told(plan, on: fixture)
            #expect(words == expected)
            // The allocator is told of each response that is one, and has its memory back.
            #expect(seen.starts == seen.responses.count { !$0.isNull })
            #expect(seen.allocated == seen.freed)
        }
        withExtendedLifetime(folder) {}
    }
}

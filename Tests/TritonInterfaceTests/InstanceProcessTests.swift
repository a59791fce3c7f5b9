import Glibc
import Halcyon
import HalcyonTestKit
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import TritonInterface

@Suite("Processes that backends start", .timeLimit(.minutes(5)))
struct InstanceProcessTests {
    private static func start(_ command: String) -> Int32 {
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = []
        for word: String in ["sh", "-c", command] { arguments.append(strdup(word)) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        #expect(posix_spawn(&process, "/bin/sh", nil, nil, arguments, environ) == 0)
        return process
    }

    private static func end(_ process: Int32, signal: Int32 = SIGKILL) {
        kill(process, signal)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    @Test("Those that are started meanwhile are watched, and their end is told once, with what it was")
    func endings() {
        for (command, words) in [("exit 3", "has ended with status 3"), ("kill -11 $$", "was ended by signal 11")] {
            let processes = InstanceProcesses(instance: "instance 'a' of model 'b'")
            var process: Int32 = 0
            processes.starting { process = Self.start(command) }
            guard processes.areWatched else { return }
            let losses = Collected<HalcyonError>()
            processes.whenLost { losses.add($0) }
            let loss = losses.wait(for: 1)[0]
            #expect(loss.message == "instance 'a' of model 'b' has gone: its process \(process) \(words)")
            #expect(processes.loss == loss)
            processes.whenLost { losses.add($0) }
            #expect(losses.wait(for: 2)[1] == loss)
            Self.end(process)
        }
    }

    @Test("Nobody is told of those that may end")
    func expected() {
        let processes = InstanceProcesses(instance: "it")
        let others = InstanceProcesses(instance: "another")
        var process: Int32 = 0
        var other: Int32 = 0
        processes.starting { process = Self.start("exec sleep 1000") }
        others.starting { other = Self.start("exec sleep 1000") }
        guard processes.areWatched else { return }
        let losses = Collected<HalcyonError>()
        processes.whenLost { losses.add($0) }
        others.whenLost { losses.add($0) }
        processes.letEnd()
        #expect(!processes.areWatched)
        kill(process, SIGKILL)
        kill(other, SIGKILL)
        #expect(losses.wait(for: 1).map(\.message) == ["another has gone: its process \(other) was ended by signal 9"])
        Self.end(process)
        Self.end(other)
        #expect(losses.values.count == 1)
    }

    @Test(
        "A backend whose process has ended gets another instance, and what it keeps is no reason to wait",
        .enabled(if: CLibrary.compiler != nil, "no C compiler"))
    func instance() async throws {
        let backend = try ExerciseBackend([
            "fragile": "parameters { key: \"starts\" value { string_value: \"yes\" } }\n" + ExerciseBackend.tensors
        ])
        let server = try backend.server()
        try await server.waitUntilReady()
        func request(_ what: Int32) throws -> InferenceRequest {
            InferenceRequest(modelName: "fragile", inputs: [try Tensor(name: "IN", shape: [1], [what])])
        }
        _ = try await server.infer(try request(0))
        for _ in 0..<2 {
            // It ends the process, and keeps the factory of its responses.
            let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request(13)) }
            #expect(error?.message.contains("was ended by signal 9") == true, "\(error?.message ?? "")")
            _ = try await server.infer(try request(0))
        }
        await server.shutdown()
    }
}

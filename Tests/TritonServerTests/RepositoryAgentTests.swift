import CTriton
import Foundation
import HalcyonTestKit
import Tensors
import Testing

@Suite("Repository agents", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct RepositoryAgentTests {
    /// Agents in C, and the journal that they write.
    private struct Agents {
        let folder: Folder

        init() throws {
            folder = try Folder()
            try CLibrary.compile(Fixture.library("agent"), to: library("scribe"))
        }

        func library(_ name: String) -> String { "\(folder.path)/\(name)/libtritonrepoagent_\(name).so" }

        var journal: String { "\(folder.path)/journal" }

        var lines: [String] {
            ((try? String(contentsOfFile: journal, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
        }

        /// Lines of a configuration: an agent for each list of parameters.
        func named(_ agents: [[String: String]], as name: String = "scribe") -> String {
            let texts = agents.map { parameters in
                let all = parameters.merging(["journal": journal]) { own, _ in own }
                let lines = all.map { "parameters { key: \"\($0.key)\" value: \"\($0.value)\" }" }
                return "{ name: \"\(name)\" \(lines.joined(separator: " ")) }"
            }
            return "\nmodel_repository_agents { agents [ \(texts.joined(separator: ", ")) ] }\n"
        }

        func fixture(_ models: [String: String]) throws -> Fixture {
            try Fixture(models) { options in
                try check(TRITONSERVER_ServerOptionsSetRepoAgentDirectory(options, folder.path))
                try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT))
            }
        }
    }

    private func ask(_ fixture: Fixture, _ model: String) throws -> [Int32] {
        let call = try Call(fixture, model)
        try call.add([4, 5])
        try call.infer(on: fixture)
        return int32s(call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }.responses[0].outputs["OUT"])
    }

    @Test("Agents learn of a model's whole life, what comes of it in the other order")
    func life() throws {
        let agents = try Agents()
        let lines = agents.named([["says": "a "], ["says": "b "]])
        let fixture = try agents.fixture(["echo": Fixture.echo + lines])
        #expect(agents.lines.isEmpty)
        try check(TRITONSERVER_ServerLoadModel(fixture.server, "echo"))
        let loaded = [
            "a initialize", "a load", "b initialize", "b load", "b load complete", "a load complete",
        ]
        #expect(agents.lines == loaded)
        #expect(try ask(fixture, "echo") == [4, 5])
        let configuration = try text { TRITONSERVER_ServerModelConfig(fixture.server, "echo", -1, 1, $0) }
        #expect(configuration.contains("\"model_repository_agents\":{\"agents\":[{\"name\":\"scribe\""))
        try fixture.delete()
        let gone = [
            "a unload", "b unload", "b unload complete", "a unload complete", "b finalize", "a finalize",
        ]
        #expect(Array(agents.lines.dropFirst(loaded.count).prefix(4)) == Array(gone.prefix(4)))
    }

    @Test("What is loaded again has new agents, and the former ones learn that it goes")
    func again() throws {
        let agents = try Agents()
        let fixture = try agents.fixture(["echo": Fixture.echo + agents.named([[:]])])
        try check(TRITONSERVER_ServerLoadModel(fixture.server, "echo"))
        try check(TRITONSERVER_ServerLoadModel(fixture.server, "echo"))
        #expect(agents.lines.filter { $0 == "load complete" }.count == 2)
        #expect(try ask(fixture, "echo") == [4, 5])
        try fixture.delete()
        #expect(agents.lines.filter { $0 == "unload" }.count == 2)
        #expect(agents.lines.filter { $0 == "unload complete" }.count == 2)
        #expect(!agents.lines.contains("load fail"))
    }

    @Test("An agent that refuses keeps the model from being loaded, and those before it learn that")
    func refuses() throws {
        let agents = try Agents()
        let lines = agents.named([["says": "a "], ["says": "b ", "does": "refuses"], ["says": "c "]])
        let fixture = try agents.fixture(["echo": Fixture.echo + lines])
        let error = failure(TRITONSERVER_ServerLoadModel(fixture.server, "echo"))
        #expect(error?.message.contains("repository agent 'scribe': this model is not whole") == true)
        #expect(
            agents.lines == [
                "a initialize", "a load", "b initialize", "b load", "b load fail", "a load fail", "b finalize",
                "a finalize",
            ])
    }

    @Test("An agent makes the model, or says where it lies, before its files are looked at")
    func moves() throws {
        let agents = try Agents()
        let elsewhere = try Folder()
        try Fixture.write(Fixture.echo, "other", in: elsewhere)
        let models = [
            "made": "backend: \"none_such\"" + agents.named([["does": "makes"]]),
            "moved": "backend: \"none_such\""
                + agents.named([["does": "moves", "to": "\(elsewhere.path)/other"], [:]]),
        ]
        let fixture = try agents.fixture(models)
        for model in models.keys {
            try check(TRITONSERVER_ServerLoadModel(fixture.server, model))
            #expect(try ask(fixture, model) == [4, 5])
        }
        let made = try text { TRITONSERVER_ServerModelConfig(fixture.server, "made", -1, 1, $0) }
        #expect(made.contains("\"max_batch_size\":5"))
        try fixture.delete()
    }

    @Test("A load that fails after the agents is told to them")
    func fails() throws {
        let agents = try Agents()
        let fixture = try agents.fixture(["broken": "backend: \"none_such\"" + agents.named([[:]])])
        #expect(failure(TRITONSERVER_ServerLoadModel(fixture.server, "broken")) != nil)
        #expect(agents.lines == ["initialize", "load", "load fail", "finalize"])
    }

    @Test("What an agent says of what has happened changes nothing")
    func complains() throws {
        let agents = try Agents()
        let fixture = try agents.fixture(["echo": Fixture.echo + agents.named([["does": "complains"]])])
        try check(TRITONSERVER_ServerLoadModel(fixture.server, "echo"))
        #expect(try ask(fixture, "echo") == [4, 5])
        try fixture.delete()
        #expect(agents.lines.contains("unload complete"))
    }

    @Test("A library that is not there, is damaged or no agent is an error of the load")
    func libraries() throws {
        let agents = try Agents()
        try CLibrary.compile(Fixture.library("agent"), to: agents.library("lame"), ["WITHOUT_ACTION"])
        try agents.folder.write("this is no library", to: "torn/libtritonrepoagent_torn.so")
        let fixture = try agents.fixture([
            "absent": Fixture.echo + agents.named([[:]], as: "absent"),
            "lame": Fixture.echo + agents.named([[:]], as: "lame"),
            "torn": Fixture.echo + agents.named([[:]], as: "torn"),
            "wrong": Fixture.echo + agents.named([[:]], as: "../scribe"),
        ])
        for (model, words) in [
            ("absent", "there is no repository agent 'absent': 'libtritonrepoagent_absent.so' was looked for in"),
            ("lame", "has no function TRITONREPOAGENT_ModelAction"), ("torn", "libtritonrepoagent_torn.so"),
            ("wrong", "a repository agent is called '../scribe'"),
        ] {
            let error = failure(TRITONSERVER_ServerLoadModel(fixture.server, model))
            #expect(error?.message.contains(words) == true, "\(model): \(error?.message ?? "")")
        }
    }
}

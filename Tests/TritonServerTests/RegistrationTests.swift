import CTriton
import Tensors
import Testing

@Suite("Repositories that C programs register, as Triton takes them")
struct RegistrationTests {
    /// A server without models of its own, and two repositories: `first/m` has version 1, `second/m` version 2 and
    /// `second/n` version 3.
    private final class Setup {
        let fixture: Fixture
        let folder: Folder
        var server: OpaquePointer { fixture.server }

        init(_ mode: TRITONSERVER_ModelControlMode = TRITONSERVER_MODEL_CONTROL_EXPLICIT) throws {
            fixture = try Fixture([:]) { try check(TRITONSERVER_ServerOptionsSetModelControlMode($0, mode)) }
            folder = try Folder()
            for (place, version) in [("first/m", 1), ("second/m", 2), ("second/n", 3)] {
                try folder.write(Fixture.echo, to: "\(place)/config.pbtxt")
                try folder.makeFolder("\(place)/\(version)")
            }
        }

        func path(_ name: String) -> String { "\(folder.path)/\(name)" }

        /// - Parameter names: a folder and the model's name, each.
        func register(_ name: String, _ names: [(String, String)] = []) -> HalcyonError? {
            var mapping = names.map { TRITONSERVER_ParameterNew($0.0, TRITONSERVER_PARAMETER_STRING, $0.1) }
            defer { for parameter in mapping { TRITONSERVER_ParameterDelete(parameter) } }
            return failure(
                TRITONSERVER_ServerRegisterModelRepository(server, path(name), &mapping, UInt32(mapping.count)))
        }

        func unregister(_ name: String) -> HalcyonError? {
            failure(TRITONSERVER_ServerUnregisterModelRepository(server, path(name)))
        }

        /// The version that serves once the model is loaded; `nil` where it can't be loaded.
        func load(_ name: String) -> Int64? {
            if let error = failure(TRITONSERVER_ServerLoadModel(server, name)) {
                let words = "failed to load '\(name)', failed to poll from model repository"
                #expect(error == HalcyonError(.internal, words))
                return nil
            }
            return [1, 2, 3].first { isReady(name, $0) }
        }

        func isReady(_ name: String, _ version: Int64) -> Bool {
            var isReady = false
            return failure(TRITONSERVER_ServerModelIsReady(server, name, version, &isReady)) == nil && isReady
        }
    }

    @Test("A name that two repositories have is loaded from neither, until one of them goes")
    func duplicates() throws {
        let setup = try Setup()
        #expect(setup.load("m") == nil)
        #expect(setup.register("first") == nil && setup.register("second") == nil)
        #expect(setup.load("m") == nil)
        #expect(setup.load("n") == 3)
        #expect(setup.unregister("second") == nil)
        #expect(setup.load("m") == 1)
        #expect(setup.isReady("n", 3))
        #expect(setup.load("n") == nil)
    }

    @Test("A folder may be served under several names, and a name that was given comes before those of folders")
    func mappings() throws {
        let several = try Setup()
        #expect(several.register("first", [("m", "one"), ("m", "other")]) == nil)
        #expect(several.load("one") == 1 && several.load("other") == 1 && several.load("m") == nil)
        let index = try text { TRITONSERVER_ServerModelIndex(several.server, 0, $0) }
        #expect(
            index
                == "[{\"name\":\"one\",\"version\":\"1\",\"state\":\"READY\"},"
                + "{\"name\":\"other\",\"version\":\"1\",\"state\":\"READY\"}]")
        let shadowing = try Setup()
        #expect(shadowing.register("second", [("m", "n")]) == nil)
        #expect(shadowing.load("n") == 2 && shadowing.load("m") == nil)
        #expect(try text { TRITONSERVER_ServerModelIndex(shadowing.server, 1, $0) }.contains("\"version\":\"2\""))
        let preferred = try Setup()
        #expect(preferred.register("first", [("m", "m")]) == nil && preferred.register("second") == nil)
        #expect(preferred.load("m") == 1 && preferred.load("n") == 3)
        let apart = try Setup()
        #expect(apart.register("first") == nil && apart.register("second", [("m", "o")]) == nil)
        #expect(apart.load("m") == 1 && apart.load("n") == 3 && apart.load("o") == 2)
        let changed = try Setup()
        #expect(changed.register("first") == nil && changed.load("m") == 1)
        #expect(changed.unregister("first") == nil && changed.register("first", [("m", "new")]) == nil)
        #expect(changed.load("m") == nil && changed.load("new") == 1 && changed.isReady("m", 1))
    }

    @Test("What can't be registered is said in Triton's words, with the path as it was given")
    func refusals() throws {
        let setup = try Setup()
        #expect(setup.register("first") == nil)
        let path = setup.path("first")
        #expect(
            setup.register("first")
                == HalcyonError(.alreadyExists, "model repository '\(path)' has already been registered"))
        #expect(
            setup.register("second", [("m", "same"), ("n", "same")])
                == HalcyonError(
                    .invalidArgument,
                    "failed to register '\(setup.path("second"))', there is a conflicting mapping for 'same'"))
        #expect(
            setup.register("none")
                == HalcyonError(
                    .invalidArgument, "failed to register '\(setup.path("none"))', repository not found"))
        let gone = HalcyonError(.invalidArgument, "failed to unregister '\(path)', repository not found")
        #expect(setup.unregister("first") == nil && setup.unregister("first") == gone)
        for mode in [TRITONSERVER_MODEL_CONTROL_NONE, TRITONSERVER_MODEL_CONTROL_POLL] {
            let other = try Setup(mode)
            for (error, deed) in [
                (other.register("first"), "registration"), (other.unregister("first"), "unregistration"),
            ] {
                let words = "repository \(deed) is not allowed if model control mode is not EXPLICIT"
                #expect(error == HalcyonError(.unsupported, words))
            }
        }
    }
}

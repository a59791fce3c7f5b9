import CTriton
import Foundation
import HalcyonTestKit
import Tensors
import Testing

@Suite("Response caches in libraries", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct CacheLibraryTests {
    private static let cached = Fixture.echo + "\nresponse_cache { enable: true }\n"

    /// A folder with our cache in C by some name.
    private func caches(_ name: String = "listed", _ definitions: [String] = []) throws -> Folder {
        let folder = try Folder()
        try CLibrary.compile(
            Fixture.library("cache"), to: "\(folder.path)/\(name)/libtritoncache_\(name).so", definitions)
        return folder
    }

    private func fixture(_ folder: Folder, _ name: String, _ settings: String) throws -> Fixture {
        try Fixture(["cached": Self.cached]) { options in
            try check(TRITONSERVER_ServerOptionsSetCacheDirectory(options, folder.path))
            try check(TRITONSERVER_ServerOptionsSetCacheConfig(options, name, settings))
        }
    }

    private func ask(_ fixture: Fixture, _ values: [Int32]) throws -> [Int32] {
        let call = try Call(fixture, "cached")
        try call.add(values)
        try call.infer(on: fixture)
        return int32s(call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }.responses[0].outputs["OUT"])
    }

    private func hits(_ fixture: Fixture) throws -> Int {
        let statistics = try text { TRITONSERVER_ServerModelStatistics(fixture.server, "cached", -1, $0) }
        let marker = "\"cache_hit\":{\"count\":"
        let start = try #require(statistics.range(of: marker)).upperBound
        return try #require(Int(statistics[start...].prefix { $0.isNumber }))
    }

    @Test("Equal requests get the answer that the library keeps, until the server goes")
    func keeps() throws {
        let folder = try caches()
        let journal = "\(folder.path)/journal"
        let fixture = try fixture(folder, "listed", "{\"journal\": \"\(journal)\"}")
        for values in [[1, 2, 3], [1, 2, 3], [4], [1, 2, 3], [4], []] as [[Int32]] {
            #expect(try ask(fixture, values) == values)
        }
        #expect(try hits(fixture) == 3)
        try fixture.delete()
        let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "initialize" && lines.last == "finalize")
        #expect(lines.filter { $0 == "insert" }.count == 3)
        #expect(lines.filter { $0 == "found" }.count == 3)
        #expect(lines.filter { $0 == "look up" }.count == 6)
    }

    @Test("An answer to another request is none, whatever the library finds")
    func wrong() throws {
        let folder = try caches()
        let fixture = try fixture(folder, "listed", "{\"behaviour\": \"wrong\"}")
        for values in [[1], [2], [1]] as [[Int32]] { #expect(try ask(fixture, values) == values) }
        #expect(try hits(fixture) == 0)
    }

    @Test("Where the library fails, the model answers")
    func broken() throws {
        let folder = try caches()
        let fixture = try fixture(folder, "listed", "{\"behaviour\": \"broken\"}")
        #expect(try ask(fixture, [7]) == [7])
        #expect(try ask(fixture, [7]) == [7])
        #expect(try hits(fixture) == 0)
    }

    @Test("A model that is loaded again does not get its former self's answers")
    func loadedAgain() throws {
        let folder = try caches()
        let fixture = try Fixture(["cached": Self.cached]) { options in
            try check(TRITONSERVER_ServerOptionsSetModelControlMode(options, TRITONSERVER_MODEL_CONTROL_EXPLICIT))
            try check(TRITONSERVER_ServerOptionsSetStartupModel(options, "cached"))
            try check(TRITONSERVER_ServerOptionsSetCacheDirectory(options, folder.path))
            try check(TRITONSERVER_ServerOptionsSetCacheConfig(options, "listed", "{}"))
        }
        #expect(try ask(fixture, [1]) == [1])
        #expect(try ask(fixture, [1]) == [1])
        #expect(try hits(fixture) == 1)
        var parameters = [TRITONSERVER_ParameterNew("config", TRITONSERVER_PARAMETER_STRING, Self.changed)]
        defer { for parameter in parameters { TRITONSERVER_ParameterDelete(parameter) } }
        try check(TRITONSERVER_ServerLoadModelWithParameters(fixture.server, "cached", &parameters, 1))
        #expect(try ask(fixture, [1]) == [1])
        #expect(try ask(fixture, [1]) == [1])
        #expect(try hits(fixture) == 1)
    }

    private static let changed = """
        {"backend": "identity", "max_batch_size": 4, "response_cache": {"enable": true},
         "input": [{"name": "IN", "data_type": "TYPE_INT32", "dims": [-1]}],
         "output": [{"name": "OUT", "data_type": "TYPE_INT32", "dims": [-1]}]}
        """

    @Test("What is wrong with a library is said when the server starts")
    func refused() throws {
        let folder = try caches()
        try CLibrary.compile(
            Fixture.library("cache"), to: "\(folder.path)/lame/libtritoncache_lame.so", ["WITHOUT_INITIALIZE"])
        try folder.write("this is no library", to: "torn/libtritoncache_torn.so")
        for (name, settings, words) in [
            ("absent", "{}", "there is no response cache 'absent': 'libtritoncache_absent.so' was looked for in"),
            ("lame", "{}", "has no function TRITONCACHE_CacheInitialize"), ("torn", "{}", "libtritoncache_torn.so"),
            ("listed", "{\"behaviour\": \"fails\"}", "this cache does not like its settings"),
            ("listed", "{\"behaviour\": \"none\"}", "without a cache"), ("listed", "[", "no JSON object"),
            ("local", "{\"size\": \"-1\"}", "expected {\"size\": \"BYTES\"}"),
            ("../up", "{}", "can't be called"),
        ] {
            let error = #expect(throws: HalcyonError.self) { _ = try fixture(folder, name, settings) }
            #expect(error?.message.contains(words) == true, "\(name): \(error?.message ?? "")")
        }
    }

    @Test("The cache 'local' is the server's own, unless the named folder has a library of that name")
    func local() throws {
        let own = try fixture(try caches(), "local", "{\"size\": \"1000000\"}")
        #expect(try ask(own, [1]) == [1])
        #expect(try ask(own, [1]) == [1])
        #expect(try hits(own) == 1)
        let folder = try caches("local")
        let journal = "\(folder.path)/journal"
        let other = try fixture(folder, "local", "{\"journal\": \"\(journal)\"}")
        #expect(try ask(other, [1]) == [1])
        #expect(FileManager.default.fileExists(atPath: journal))
    }

    private static let triton =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        + "/.deps/triton/pytriton/tritonserver/caches"

    @Test(
        "Triton's own local cache keeps answers",
        .enabled(if: FileManager.default.fileExists(atPath: triton), "Triton's package is not here"))
    func tritons() throws {
        let fixture = try Fixture(["cached": Self.cached]) { options in
            try check(TRITONSERVER_ServerOptionsSetCacheDirectory(options, Self.triton))
            try check(TRITONSERVER_ServerOptionsSetCacheConfig(options, "local", "{\"size\": \"1048576\"}"))
        }
        for values in [[1, 2, 3], [1, 2, 3], [4], [1, 2, 3], [4]] as [[Int32]] {
            #expect(try ask(fixture, values) == values)
        }
        #expect(try hits(fixture) == 3)
        try fixture.delete()
        // One that is not as large as its own tables.
        let error = #expect(throws: HalcyonError.self) {
            _ = try Fixture(["cached": Self.cached]) { options in
                try check(TRITONSERVER_ServerOptionsSetCacheDirectory(options, Self.triton))
                try check(TRITONSERVER_ServerOptionsSetCacheConfig(options, "local", "{}"))
            }
        }
        #expect(error?.message.contains("size") == true)
    }
}

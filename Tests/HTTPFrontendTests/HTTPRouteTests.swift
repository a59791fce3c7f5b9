import KServeProtocol
import Tensors
import Testing

@testable import HTTPFrontend

@Suite("HTTP routes")
struct HTTPRouteTests {
    @Test(
        "Paths and where they lead",
        arguments: [
            ("/v2", .serverMetadata), ("/v2/", .serverMetadata), ("/v2/health/live", .live),
            ("/v2/health/ready", .ready), ("/v2/models/m", .modelMetadata(.init(model: "m"))),
            ("/v2/models/m/versions/3", .modelMetadata(.init(model: "m", version: 3))),
            ("/v2/models/a%20b/ready", .modelReady(.init(model: "a b"))),
            ("/v2/models/m/versions/3/infer", .infer(.init(model: "m", version: 3))),
            ("/v2/models/m/generate_stream", .generate(.init(model: "m"), isStream: true)),
            ("/v2/models/stats", .statistics(nil)), ("/v2/models/m/stats", .statistics(.init(model: "m"))),
            ("/v2/models/m/batches", .batches(.init(model: "m"))),
            ("/v2/models/m/versions/2/batches", .batches(.init(model: "m", version: 2))),
            ("/v2/repository/index", .repositoryIndex), ("/v2/repository/models/m/load", .load("m")),
            ("/v2/repository/r/models/m/unload", .unload("m")),
            ("/v2/systemsharedmemory/region/r/register", .sharedMemoryRegister("r")),
            ("/v2/systemsharedmemory/unregister", .sharedMemoryUnregister(nil)), ("/v2/logging", .logging),
            ("/v2/models/m/trace/setting", .trace("m")),
        ] as [(String, HTTPRoute)])
    func routes(path: String, route: HTTPRoute) {
        #expect(HTTPRoute(path: Substring(path)) == route)
    }

    @Test(
        "Paths that lead nowhere",
        arguments: [
            "", "/", "v2", "/v3", "/v2/nothing", "/v2/models", "/v2/models/", "/v2/models/m/versions/x",
            "/v2/models/m/versions/-1", "/v2/models/m/versions/99999999999999999999", "/v2/models/m/infer/x",
            "/v2/models/%/infer", "/v2/models/%zz", "/v2/models/%ff", "/v2/health", "/v2/repository/models/m/other",
        ])
    func nowhere(path: String) {
        #expect(HTTPRoute(path: Substring(path)) == nil)
    }

    @Test(
        "Paths of the page",
        arguments: [
            ("/", .page("index.html")), ("/page/app.js", .page("app.js")), ("/page/events", .events(nil)),
            ("/page/events/a%20b/versions/3", .events(.init(model: "a b", version: 3))),
            ("/page/models/m/versions/1/infer", .tryOut(.init(model: "m", version: 1))),
        ] as [(String, HTTPRoute)])
    func page(path: String, route: HTTPRoute) {
        #expect(HTTPRoute(pagePath: Substring(path)) == route)
        #expect(HTTPRoute(path: Substring(path)) == nil)
    }

    @Test(
        "Paths that are not the page's",
        arguments: ["", "page", "/page", "//", "/page/a/b", "/page/events/m/versions/x", "/page/models/m/infer", "/v2"])
    func notThePage(path: String) {
        #expect(HTTPRoute(pagePath: Substring(path)) == nil)
    }

    @Test("Each part of the page belongs to the part of the protocol that it shows")
    func groups() {
        #expect(HTTPRoute.page("index.html").group == .metadata)
        #expect(HTTPRoute.events(nil).group == .statistics)
        #expect(HTTPRoute.batches(.init(model: "m")).group == .statistics)
        #expect(HTTPRoute.tryOut(.init(model: "m")).group == .inference)
    }

    @Test("Parameters of an address")
    func parameters() throws {
        let parameters = QueryParameters("/v2/models/m/batches?after=12&b%20c=7&empty=&x")
        #expect(try parameters.number("after") == 12)
        #expect(try parameters.number("b c") == 7)
        #expect(try parameters.number("nothing") == nil)
        #expect(try QueryParameters("/v2").number("after") == nil)
        #expect(throws: HalcyonError.self) { try parameters.number("empty") }
    }
}

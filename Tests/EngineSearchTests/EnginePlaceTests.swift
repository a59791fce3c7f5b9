import Testing

@testable import EngineSearch

@Suite struct EnginePlaceTests {
    private static let surroundings = ProcessSurroundings(
        variables: ["HOME": "/home/ada", "HALCYON_BACKENDS": "/srv/engines:mine"],
        executable: "/opt/halcyon/bin/halcyon", workingDirectory: "/home/ada/halcyon", userID: 1000, groupID: 1000)

    @Test func `The places come in the order of the documentation`() {
        #expect(
            EnginePlace.all(named: nil, Self.surroundings) == [
                EnginePlace("/opt/halcyon/backends", .executable),
                EnginePlace("/opt/halcyon/bin/backends", .executable),
                EnginePlace("/srv/engines", .variable), EnginePlace("/home/ada/halcyon/mine", .variable),
                EnginePlace("/home/ada/.local/share/halcyon/backends", .userData),
                EnginePlace("/usr/local/share/halcyon/backends", .systemData),
                EnginePlace("/usr/share/halcyon/backends", .systemData),
                EnginePlace("/usr/local/lib/halcyon/backends", .systemData),
                EnginePlace("/usr/lib/halcyon/backends", .systemData),
                EnginePlace("/home/ada/halcyon/.deps/backends", .workingDirectory),
            ])
    }

    @Test func `A place that the command line names is the only one`() {
        #expect(EnginePlace.all(named: "engines", Self.surroundings) == [EnginePlace("engines", .named)])
    }

    @Test func `XDG_DATA_HOME comes before HOME, and what is empty or relative counts as not set`() {
        func userData(_ variables: [String: String]) -> [String] {
            var surroundings = Self.surroundings
            surroundings.variables = variables
            return EnginePlace.all(named: nil, surroundings).filter { $0.origin == .userData }.map(\.path)
        }
        #expect(userData(["XDG_DATA_HOME": "/data/", "HOME": "/home/ada"]) == ["/data/halcyon/backends"])
        #expect(userData(["XDG_DATA_HOME": "data", "HOME": "/root"]) == ["/root/.local/share/halcyon/backends"])
        #expect(userData(["XDG_DATA_HOME": "", "HOME": ""]) == [])
    }

    @Test func `A process that knows little of itself has fewer places`() {
        let bare = ProcessSurroundings(
            variables: [:], executable: nil, workingDirectory: nil, userID: 0, groupID: 0)
        #expect(EnginePlace.all(named: nil, bare).allSatisfy { $0.origin == .systemData })
        var rooted = bare
        rooted.executable = "/halcyon"
        #expect(EnginePlace.all(named: nil, rooted).first == EnginePlace("/backends", .executable))
    }
}

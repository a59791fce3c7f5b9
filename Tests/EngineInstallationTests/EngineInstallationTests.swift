import EngineInstallation
import Testing

struct EngineInstallationTests {
    @Test func `The program gets what is pinned and what is wanted`() {
        let arguments = EngineInstallation(.onnxruntime, in: "/b", wheel: "/w.whl", again: true).arguments
        #expect(arguments.first == "-c")
        #expect(arguments.dropFirst().first?.contains("def install(") == true)
        #expect(arguments.dropFirst(2).first?.contains("\"sha256\"") == true)
        #expect(Array(arguments.dropFirst(3)) == ["onnxruntime", "/b", "/w.whl", "again"])
        #expect(Array(EngineInstallation(.openvino, in: "/b").arguments.dropFirst(3)) == ["openvino", "/b", "", ""])
    }

    @Test(
        arguments: [
            (true, ["HOME": "/root"], "/usr/local/lib/halcyon/backends"),
            (false, ["HOME": "/home/a"], "/home/a/.local/share/halcyon/backends"),
            (false, ["HOME": "/home/a", "XDG_DATA_HOME": "/data"], "/data/halcyon/backends"),
            (false, ["HOME": "/home/a", "XDG_DATA_HOME": "data"], "/home/a/.local/share/halcyon/backends"),
            (false, [:], nil),
        ] as [(Bool, [String: String], String?)])
    func `Engines go where they are looked for`(isRoot: Bool, variables: [String: String], folder: String?) {
        #expect(EngineInstallation.folder(isRoot: isRoot, variables: variables) == folder)
    }
}

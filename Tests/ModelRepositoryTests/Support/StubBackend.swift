import ModelRuntime
import Tensors

/// A backend that is only looked at, never asked for a model.
struct StubBackend: Backend {
    var name: String
    var modelFilenames: [String] = []
    var isInstalled = true
    var isListed = true

    func openModel(_ source: ModelSource) throws -> any BackendModel {
        throw HalcyonError(.unsupported, "a stub has no models")
    }

    /// One with the names that OpenVINO's files have, one with names of its own, and one without files.
    static let all = registered(
        StubBackend(name: "openvino", modelFilenames: ["model.xml", "model.onnx", "model.graphdef", "model.pb"]),
        StubBackend(name: "stub", modelFilenames: ["model.stub", "other.stub"]), StubBackend(name: "fileless"))

    static func registered(_ backends: StubBackend...) -> [String: any Backend] {
        Dictionary(uniqueKeysWithValues: backends.map { ($0.name, $0 as any Backend) })
    }
}

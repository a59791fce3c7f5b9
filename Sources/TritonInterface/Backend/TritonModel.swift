internal import CTriton
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// A model of a Triton backend.
final class TritonModel: BackendModel {
    let object: ModelObject

    init(_ source: ModelSource, of backend: BackendObject, _ options: TritonBackend.Options) throws(HalcyonError) {
        object = try ModelObject(
            source.configuration, version: source.version, folder: source.modelDirectory, of: backend,
            completesConfiguration: options.completesConfigurations, models: options.models)
        try object.initialize()
    }

    deinit { object.finalize() }

    var completedConfiguration: ModelConfiguration? { object.completed }
    /// Models of such backends do as they like with a request, calls to other models included.
    var warmsUpOnZeros: Bool { false }

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) { object.set(configuration) }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        try TritonInstance(identity, of: self)
    }

    var properties: [(name: String, value: String)] { [("library", object.backend.library.path)] }
}

internal import CTriton
internal import Logging
internal import ModelRuntime
internal import Tensors

/// An instance of a Triton backend's model.
final class TritonInstance: RequestTakingInstance, @unchecked Sendable {
    private let object: InstanceObject
    /// Kept until the last instance is gone.
    private let model: TritonModel

    init(_ identity: InstanceIdentity, of model: TritonModel) throws(HalcyonError) {
        self.model = model
        object = try InstanceObject(identity, of: model.object)
        guard let initialize = model.object.backend.library.instanceInitialize else { return }
        let object = object
        try BackendCall.with(model: model.object.nameText) { () throws(HalcyonError) in
            try ErrorObject.check(initialize(object.handle))
        }
        isInitialized = true
    }

    private var isInitialized = false

    deinit {
        guard isInitialized, let finalize = model.object.backend.library.instanceFinalize else { return }
        do throws(HalcyonError) {
            try BackendCall.with(model: model.object.nameText) { () throws(HalcyonError) in
                try ErrorObject.check(finalize(object.handle))
            }
        } catch {
            InterfaceLog.logger?.error(
                "an instance was taken apart with an error",
                metadata: ["instance": "\(object.identity.name)", "error": "\(error)"])
        }
    }

    func execute(_ requests: [HandedRequest], _ statistics: BatchStatisticsSink) throws {
        if object.statistics == nil { object.statistics = statistics }
        try hand(requests)
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let request = BatchRequest(batch)
        try hand([request])
        return try request.wait()
    }

    /// - Throws: what the backend says where it has not taken them.
    private func hand(_ sources: [any RequestSource]) throws(HalcyonError) {
        var handles: [OpaquePointer?] = []
        handles.reserveCapacity(sources.count)
        for source in sources { handles.append(try Handles.give(RequestObject(source, of: object.model))) }
        let returned = BackendCall.with(model: object.model.nameText) {
            model.object.backend.library.instanceExecute(object.handle, &handles, UInt32(handles.count))
        }
        guard let returned else { return }
        for handle in handles { (try? Handles.take(handle, as: RequestObject.self, "request"))?.end() }
        try ErrorObject.check(returned)
    }
}

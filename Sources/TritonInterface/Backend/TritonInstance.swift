internal import CTriton
internal import Logging
internal import ModelRuntime
internal import Tensors
internal import Threads

/// An instance of a Triton backend's model. It goes by itself where a process ends that its backend started for it.
final class TritonInstance: RequestTakingInstance, LosableInstance, @unchecked Sendable {
    private let object: InstanceObject
    /// Kept until the last instance is gone.
    private let model: TritonModel
    private let processes: InstanceProcesses
    /// What its backend has of requests; `nil` where no process is watched, as nobody asks for it then.
    private let held: HeldRequests?

    init(_ identity: InstanceIdentity, of model: TritonModel) throws(HalcyonError) {
        let name = "instance '\(identity.name)' of model '\(model.object.nameText)'"
        let object = try InstanceObject(identity, of: model.object)
        let processes = InstanceProcesses(instance: name)
        if let initialize = model.object.backend.library.instanceInitialize {
            do throws(HalcyonError) {
                try processes.starting { () throws(HalcyonError) in
                    try BackendCall.with(model: model.object) { () throws(HalcyonError) in
                        try ErrorObject.check(initialize(object.handle))
                    }
                }
            } catch {
                // As in Triton: what it had made until then has to go as well.
                InstanceEnd(object, model, processes).run()
                throw model.object.placed(error)
            }
        }
        self.model = model
        self.object = object
        self.processes = processes
        held = processes.areWatched ? HeldRequests() : nil
        if let held { processes.whenLost { held.abandon($0) } }
    }

    deinit { InstanceEnd(object, model, processes, held).run() }

    var mayBeLost: Bool { held != nil }

    func whenLost(_ handler: @escaping @Sendable (HalcyonError) -> Void) { processes.whenLost(handler) }

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
    private func hand<Source: RequestSource>(_ sources: [Source]) throws(HalcyonError) {
        let result = withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: sources.count) { handles in
            Result { () throws(HalcyonError) in try hand(sources, handles) }
        }
        try result.get()
    }

    private func hand<Source: RequestSource>(
        _ sources: [Source], _ handles: UnsafeMutableBufferPointer<OpaquePointer?>
    ) throws(HalcyonError) {
        handles.initialize(repeating: nil)
        do throws(HalcyonError) {
            for (index, source) in sources.enumerated() {
                let handle = try Handles.give(RequestObject(source, of: object.model, held: held))
                handles[index] = handle
                try held?.add(handle, source)
            }
        } catch {
            takeBack(handles)
            throw error
        }
        let returned = BackendCall.with(model: object.model) {
            model.object.backend.library.instanceExecute(object.handle, handles.baseAddress, UInt32(handles.count))
        }
        guard let returned else { return }
        takeBack(handles)
        try ErrorObject.check(returned)
    }

    private func takeBack(_ handles: UnsafeMutableBufferPointer<OpaquePointer?>) {
        for case let handle? in handles {
            held?.remove(handle)
            (try? Handles.take(handle, as: RequestObject.self, "request"))?.end()
        }
    }
}

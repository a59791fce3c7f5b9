internal import Tensors

extension InstanceIdentity {
    /// On its way from the thread that made it to whoever asked.
    private struct Made: @unchecked Sendable {
        let instance: any ModelInstance
    }

    /// Makes the instance, on its processors where a host policy names them: the threads that an engine starts for it
    /// keep to those.
    ///
    /// - Throws: whatever the model throws.
    package func make(of model: any BackendModel) throws -> any ModelInstance {
        guard let hostPolicy, hostPolicy.isBinding else { return try model.makeInstance(self) }
        let identity = self
        return try hostPolicy.bound { () throws(HalcyonError) in
            do {
                return Made(instance: try model.makeInstance(identity))
            } catch {
                throw HalcyonError(wrapping: error)
            }
        }.instance
    }
}

internal import Tensors
internal import Threads

extension InstanceIdentity {
    /// On its way from the thread that made it to whoever asked.
    private struct Made: @unchecked Sendable {
        let instance: any ModelInstance
    }

    /// Threads that make instances at the same time.
    private static let together = 32

    /// Makes instances in their order, or together where the model allows it.
    ///
    /// - Throws: whatever the model throws for the first that it can't make.
    static func make(_ identities: [InstanceIdentity], of model: any BackendModel) throws -> [any ModelInstance] {
        guard identities.count > 1, (model as? any InstancePreferences)?.makesInstancesTogether == true else {
            return try identities.map { try $0.make(of: model) }
        }
        let results = Locked<[Int: Result<Made, HalcyonError>]>([:])
        for first in stride(from: 0, to: identities.count, by: together) {
            let range = first..<min(first + together, identities.count)
            var threads: [WorkerThread] = []
            defer { for thread in threads { thread.join() } }
            for index in range {
                let identity = identities[index]
                threads.append(
                    try WorkerThread(name: "instance") {
                        let result: Result<Made, HalcyonError>
                        do {
                            result = .success(Made(instance: try identity.make(of: model)))
                        } catch {
                            result = .failure(HalcyonError(wrapping: error))
                        }
                        results.withLock { $0[index] = result }
                    })
            }
        }
        return try results.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get().instance }
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

internal import ModelConfigurations
internal import Tensors
internal import Threads

/// A member of a crew: an instance with what is kept for it.
///
/// Whoever holds the lease, as the scheduler machine says, is the only one to touch `instance`; the hand-over passes
/// through the executor's lock, which orders the accesses.
final class CrewMember: @unchecked Sendable {
    let identity: InstanceIdentity
    private(set) var instance: any ModelInstance
    let parker: Parker
    /// Its way to the resources that it shares with others; `nil` where it needs none.
    let pass: ResourceGate.Pass?
    /// Why its instance has gone by itself; `nil` while it is there.
    private let ownLoss = Locked<HalcyonError?>(nil)

    init(
        identity: InstanceIdentity, instance: any ModelInstance, parker: Parker = Parker(),
        pass: ResourceGate.Pass? = nil
    ) {
        self.identity = identity
        self.instance = instance
        self.parker = parker
        self.pass = pass
    }

    /// One member for each instance.
    ///
    /// - Parameters:
    ///   - configuration: the one that the instances' groups are in.
    ///   - resources: what instances share; `nil` where the server limits no rates.
    /// - Throws: whatever the model throws when an instance is made; `invalidArgument` where one needs more of a
    ///   resource than there is.
    static func make(
        _ instances: [InstanceIdentity], of model: any BackendModel, _ configuration: ModelConfiguration,
        sharing resources: ResourceGate?
    ) throws -> [CrewMember] {
        var passes: [ResourceGate.Pass] = []
        do {
            let prepared = try instances.map { identity in
                let parker = Parker()
                let claim = InstancePlan.claim(of: identity, configuration)
                let pass = try claim.flatMap { try resources?.register($0, parker: parker) }
                if let pass { passes.append(pass) }
                return (identity: identity, parker: parker, pass: pass)
            }
            return zip(prepared, try InstanceIdentity.make(instances, of: model)).map { part, instance in
                CrewMember(identity: part.identity, instance: instance, parker: part.parker, pass: part.pass)
            }
        } catch {
            for pass in passes { pass.leave() }
            throw error
        }
    }

    /// Whether it shares no resources, and may run anywhere.
    var isFree: Bool { pass == nil && identity.hostPolicy?.isBinding != true }

    var loss: HalcyonError? { ownLoss.withLock { $0 } }

    /// Its instance has gone by itself. The worker takes that up when it comes back.
    func lose(_ error: HalcyonError) {
        ownLoss.withLock { $0 = error }
        parker.unpark()
    }

    /// Frees the instance, which will not run again. Called by its worker: at its end, or when it comes back from an
    /// execution that was given up.
    func letGo() { instance = GivenUpInstance() }

    /// A member for a new instance that takes this one's place.
    func replaced(by instance: any ModelInstance) -> CrewMember {
        CrewMember(identity: identity, instance: instance, parker: parker, pass: pass)
    }
}

private final class GivenUpInstance: ModelInstance {
    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        throw HalcyonError(.internal, "the instance was given up")
    }
}

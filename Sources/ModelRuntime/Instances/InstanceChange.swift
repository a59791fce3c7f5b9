package import ModelConfigurations
internal import Scheduling
package import Tensors

/// Other instances for a model that serves, made and warm, but not at work yet.
package struct InstanceChange: Sendable {
    let fresh: [CrewMember]
    /// The numbers of those that are to go.
    let leaving: [Int]

    package var addedCount: Int { fresh.count }
    package var removedCount: Int { leaving.count }

    /// Releases what was made for a change that does not come.
    package func discard() {
        for member in fresh { member.pass?.leave() }
    }
}

/// What can have other instances while it serves.
package protocol AdjustableExecutor: RequestExecutor {
    var model: any BackendModel { get }

    /// Makes what lacks to have other instances than now. What runs is left alone, and nothing serves differently yet.
    ///
    /// - Parameters:
    ///   - instances: all that there are to be.
    ///   - configuration: the one that they come from.
    ///   - items: what the configuration wants every instance to run before its first request; `nil` for no warm-up.
    /// - Returns: `nil` where that can't be done without making the model anew.
    /// - Throws: whatever the model throws when an instance is made, or runs.
    func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration, warmUp plan: WarmUpPlan?
    ) throws(HalcyonError) -> InstanceChange?

    /// Sets the new instances to work, and has the others take nothing more: they finish what they have.
    ///
    /// - Throws: `internal` where the system refuses a thread; then nothing has changed.
    func apply(_ change: InstanceChange) throws(HalcyonError)
}

/// Which instances have to be made, and which can go.
struct InstanceDifference {
    private(set) var lacking: [InstanceIdentity] = []
    /// By number, ascending.
    private(set) var leaving: [Int] = []

    /// What two instances have in common of which one can take the other's place.
    private struct Kind: Hashable {
        var kind: InstanceGroup.Kind
        var gpu: Int?
        var hostPolicy: HostPolicy?
        var claim: ResourceArbiter.Claim?
    }

    /// - Parameters:
    ///   - present: the instances that serve, by number.
    ///   - wanted: all that there are to be.
    ///   - nextNumber: that of the next instance.
    ///   - sharesResources: whether the server limits rates.
    init(
        _ present: [(number: Int, member: CrewMember)], wanted: [InstanceIdentity], _ configuration: ModelConfiguration,
        nextNumber: Int, sharesResources: Bool
    ) {
        var spare: [Kind: [Int]] = [:]
        for (number, member) in present {
            let identity = member.identity
            let kind = Kind(
                kind: identity.kind, gpu: identity.gpu, hostPolicy: identity.hostPolicy, claim: member.pass?.claim)
            spare[kind, default: []].append(number)
        }
        for var instance in wanted {
            let claim = sharesResources ? InstancePlan.claim(of: instance, configuration) : nil
            let kind = Kind(kind: instance.kind, gpu: instance.gpu, hostPolicy: instance.hostPolicy, claim: claim)
            if spare[kind]?.isEmpty == false {
                spare[kind]?.removeFirst()
            } else {
                instance.index = nextNumber + lacking.count
                lacking.append(instance)
            }
        }
        leaving = spare.values.flatMap(\.self).sorted()
    }
}

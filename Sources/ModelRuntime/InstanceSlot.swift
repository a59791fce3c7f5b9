/// An instance with what the engine keeps for it.
///
/// Whoever holds the lease, as the scheduler machine says, is the only one to touch `instance`; the hand-over passes
/// through the executor's lock, which orders the accesses.
final class InstanceSlot: @unchecked Sendable {
    let identity: InstanceIdentity
    let instance: any ModelInstance
    let parker = Parker()

    init(identity: InstanceIdentity, instance: any ModelInstance) {
        self.identity = identity
        self.instance = instance
    }
}

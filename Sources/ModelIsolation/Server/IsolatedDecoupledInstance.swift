internal import ModelRuntime
internal import Tensors

/// An instance of a decoupled model that runs in a worker.
final class IsolatedDecoupledInstance: DecoupledModelInstance {
    private let model: IsolatedModel
    private let seat: WorkerSeat
    private let identity: InstanceIdentity
    private var stream: DecoupledStream

    init(_ model: IsolatedModel, _ seat: WorkerSeat, _ identity: InstanceIdentity, _ link: InstanceLink) {
        self.model = model
        self.seat = seat
        self.identity = identity
        stream = DecoupledStream(link)
    }

    deinit { model.release(seat, identity) }

    func execute(_ request: DecoupledRequest) throws {
        while true {
            if stream.link.worker.ending != nil { stream = DecoupledStream(try seat.link(for: identity)) }
            let (model, identity) = (model, identity)
            do {
                return try stream.execute(request, limit: seat.plan.executionLimit) {
                    model.loss($0, identity, batchSize: 1)
                }
            } catch InstanceLink.Failure.notSent {
                _ = stream.link.worker.endingAfterSilence()
            }
        }
    }
}

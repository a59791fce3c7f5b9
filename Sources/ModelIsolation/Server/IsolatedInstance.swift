internal import ModelRuntime
internal import Tensors

/// An instance that runs in a worker. When that is gone the batch that it had fails, and the next one goes to the next
/// worker.
final class IsolatedInstance: ModelInstance, WorkerInstanceLoss {
    private let model: IsolatedModel
    private let seat: WorkerSeat
    private let identity: InstanceIdentity
    private var link: InstanceLink
    private(set) var hasLostWorker = false
    private(set) var isToBlame = false
    private(set) var hadBatch = false

    init(_ model: IsolatedModel, _ seat: WorkerSeat, _ identity: InstanceIdentity, _ link: InstanceLink) {
        self.model = model
        self.seat = seat
        self.identity = identity
        self.link = link
    }

    deinit { model.release(seat, identity) }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        (hasLostWorker, isToBlame, hadBatch) = (false, false, false)
        while true {
            if let ending = link.worker.ending {
                link = try seat.link(for: identity)
                // The sequences that are under way began in the old one.
                if model.keepsStates {
                    hasLostWorker = true
                    throw model.loss(ending, identity)
                }
            }
            do {
                let outputs = try link.execute(&batch, limit: batch.isWarmUp ? 0 : seat.plan.executionLimit)
                if batch.isWarmUp { seat.warmedUp(identity, batch.inputs, batchSize: batch.batchSize) }
                return outputs
            } catch InstanceLink.Failure.notSent {
                _ = link.worker.endingAfterSilence()
            } catch InstanceLink.Failure.lost(let ending) {
                (hasLostWorker, hadBatch) = (true, true)
                isToBlame = ending.isCrash && link.worker.hadOneBatch
                throw model.loss(ending, identity, batchSize: batch.batchSize)
            }
        }
    }
}

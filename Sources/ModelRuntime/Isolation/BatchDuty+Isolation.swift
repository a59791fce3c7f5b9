internal import Scheduling

extension BatchDuty {
    /// Remembers a request that was alone when its process ended.
    ///
    /// - Returns: whether the batch is to be tried once more, request by request: it ended its process, and the
    ///   operator allows it.
    @discardableResult
    func noteLoss(of batch: Batch<TakenRequest>, on member: CrewMember, _ model: any BackendModel) -> Bool {
        guard let model = model as? any WorkerModel, let instance = member.instance as? any WorkerInstanceLoss,
            instance.hasLostWorker
        else { return false }
        if instance.isToBlame, batch.requests.count == 1, let only = batch.requests.first {
            model.endedWorker(only.request.inputs)
        }
        return model.triesBatchesAgain
    }
}

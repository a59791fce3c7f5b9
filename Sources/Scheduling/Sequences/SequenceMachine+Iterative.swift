internal import DequeModule

/// Requests that their model goes on with in a later batch.
extension SequenceMachine {
    /// Puts a request that runs back, before what else waits of its sequence; its handle stays good.
    ///
    /// - Parameter id: by which its owner knows it from now on.
    /// - Returns: whether it waits again; not where its instance was given up, or the model's requests were.
    package mutating func resume(slot: Int, instance: Int, as id: Int) -> Bool {
        guard !isAbandoned, lanes.indices.contains(instance), lanes[instance].worker == .running,
            lanes[instance].occupants.indices.contains(slot), let index = lanes[instance].occupants[slot],
            var request = table.records[index].running.take()
        else { return false }
        request.id = id
        // It does not begin the sequence again, and nobody knows yet whether it is the last.
        request.start = false
        request.end = false
        table.records[index].waiting.prepend(request)
        waitingCount += 1
        return true
    }
}

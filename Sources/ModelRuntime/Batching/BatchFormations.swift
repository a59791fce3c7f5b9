internal import Scheduling
internal import Threads

/// Asks a model which requests share a batch, for a scheduler that knows requests by number.
///
/// The scheduler's question is about a batch as a whole; the model is asked about one request after the other. So the
/// batches that are being formed are kept, each until one of its requests is taken or a question begins it anew.
final class BatchFormations: Sendable {
    private struct Forming {
        /// By their places in the order of arrival, which are never used again; the last may have been refused.
        var members: [UInt64]
        var formation: any BatchFormation
    }

    private struct State {
        var requests: [Int: PendingRequest] = [:]
        /// By the first member.
        var forming: [UInt64: Forming] = [:]
    }

    private let model: any BatchFormingModel
    private let state = Locked(State())

    /// `nil` where the model has no say.
    init?(_ model: any BackendModel) {
        guard let model = model as? any BatchFormingModel, model.formsBatches else { return nil }
        self.model = model
    }

    // They end before their model does.
    deinit { state.withLock { $0.forming = [:] } }

    var admission: BatchAdmission { BatchAdmission { [self] in admits($1, behind: $0) } }

    func add(_ request: PendingRequest, as number: Int) { state.withLock { $0.requests[number] = request } }

    /// A request was turned away before it waited.
    func drop(_ number: Int) {
        let dropped = state.withLock { $0.requests.removeValue(forKey: number) }
        withExtendedLifetime(dropped) {}
    }

    /// A request waits no longer: whatever batch it was to be in is formed, or will be another.
    func remove(_ request: QueuedRequest) {
        // What is kept goes outside the lock.
        let ended = state.withLock { state in
            let ended = state.forming.filter { $0.value.members.contains(request.sequence) }
            for key in ended.keys { state.forming[key] = nil }
            return (state.requests.removeValue(forKey: request.id), ended)
        }
        withExtendedLifetime(ended) {}
    }

    private func admits(_ next: QueuedRequest, behind batch: [QueuedRequest]) -> Bool {
        let members = batch.map(\.sequence)
        let key = members.first ?? next.sequence
        let known = state.withLock { state in
            let known = state.forming.removeValue(forKey: key)
            return known?.members == members && !members.isEmpty ? known : nil
        }
        guard let formation = known?.formation ?? begin(batch), let waiting = request(next) else { return true }
        let isIncluded = formation.includes(waiting)
        state.withLock { $0.forming[key] = Forming(members: members + [next.sequence], formation: formation) }
        return isIncluded
    }

    private func begin(_ batch: [QueuedRequest]) -> (any BatchFormation)? {
        guard let formation = model.beginBatch() else { return nil }
        for member in batch {
            if let waiting = request(member) { _ = formation.includes(waiting) }
        }
        return formation
    }

    private func request(_ queued: QueuedRequest) -> WaitingRequest? {
        state.withLock { $0.requests[queued.id] }.map(WaitingRequest.init)
    }
}

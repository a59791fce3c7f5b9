package import FlightRecords
internal import ModelRepository
internal import ModelRuntime
package import Tensors
internal import Threads

extension InferenceServer {
    /// What is kept of a model's last batches; nothing of an ensemble, whose steps have batches of their own.
    ///
    /// - Parameter number: only batches behind the one with that number.
    /// - Throws: `notFound` or `unavailable` for a model that is not served, or where no batches are kept.
    package func batches(
        _ name: String, version: Int64? = nil, after number: UInt64 = 0
    ) throws(HalcyonError) -> Recording {
        let now = lifetime.clock.now()
        let held = try manager.hold(name, version: version)
        let model = held.model
        let configuration = model.configuration
        var recording = Recording(model: model.name, version: model.version)
        recording.settings = Recording.Settings(configuration)
        recording.steps = configuration.ensemble?.steps.map(\.modelName) ?? []
        recording.now = now
        if let kept = model.executor.statistics.lastBatches(after: number) {
            recording.batches = kept.batches
            recording.instances = kept.instances
            recording.count = kept.count
            recording.capacity = model.executor.statistics.recordedBatches
        } else if recording.steps.isEmpty {
            throw HalcyonError(
                .unavailable,
                "the server keeps no batches of model '\(name)': it was started with --recorded-batches=0")
        }
        let gauges = model.gauges
        recording.instanceCount = gauges.instances
        recording.waiting = gauges.pendingRequests
        recording.busyInstances = gauges.busyInstances
        return recording
    }
}

/// What a server has kept of a model's last batches, with what decided about them. It is what `GET
/// /v2/models/M/batches` answers with, and what a replay reads.
package struct Recording: Hashable, Sendable {
    /// What of a model's configuration decides about its batches.
    package struct Settings: Hashable, Sendable {
        package var maxBatchSize = 0
        package var isDynamic = false
        package var preferredBatchSizes: [Int] = []
        package var maxQueueDelayMicroseconds: UInt64 = 0
        package var latencyBudgetMicroseconds: UInt64 = 0
        package var preservesOrdering = false
        package var formsEagerly = false
        package var priorityLevels = 0
        package var defaultPriorityLevel = 0
        /// What schedules requests instead, where it is neither the default scheduler nor dynamic batching: `sequence`,
        /// `decoupled` or `ensemble`.
        package var otherScheduler: String?

        package init() {}
    }

    package var model: String
    package var version: Int64
    package var settings = Settings()
    /// Instances that the model has now.
    package var instanceCount = 0
    /// The names of those that have executed something, by number; empty for one that has not.
    package var instances: [String] = []
    /// The models of an ensemble's steps, whose batches are their own.
    package var steps: [String] = []
    /// When this was taken, in nanoseconds of the server's clock.
    package var now: UInt64 = 0
    package var waiting = 0
    package var busyInstances = 0
    /// Batches that the server keeps at most; 0 where it keeps none.
    package var capacity = 0
    /// Batches that there ever were.
    package var count: UInt64 = 0
    package var batches: [RecordedBatch] = []

    package init(model: String, version: Int64) {
        self.model = model
        self.version = version
    }

    /// An instance's name, or its number where it has none.
    package func name(ofInstance index: Int) -> String {
        instances.indices.contains(index) && !instances[index].isEmpty ? instances[index] : "instance \(index)"
    }
}

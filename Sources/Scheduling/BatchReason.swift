/// Why a batch was closed with the requests that it has.
public enum BatchReason: String, Hashable, Sendable, CaseIterable {
    /// Each request runs by itself: the model does not combine them, or could not run one of those that it had
    /// combined.
    case unbatched
    /// The maximum batch size was reached, or the next request would have gone over it.
    case full
    /// A preferred batch size was reached, or none can be reached any more: the batch is at the largest of them, past
    /// it, or would be past it with the next request.
    case preferredSize = "preferred_size"
    /// A request had been held back as long as `max_queue_delay_microseconds` allows.
    case delayExpired = "delay_expired"
    /// The requests would not have kept the model's latency budget (`latency_budget_microseconds`) in a larger batch,
    /// or in one that is held back longer.
    case latencyBudget = "latency_budget"
    /// An instance was free, nothing is held back, and these were all that waited.
    case instanceFree = "instance_free"
    /// As the two before; more requests waited, but with other shapes.
    case shapeBoundary = "shape_boundary"
    /// The model's own strategy did not let the next request in.
    case strategy
    /// The model is being stopped, which holds nothing back.
    case draining
}

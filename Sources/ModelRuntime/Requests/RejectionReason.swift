/// Why a valid request never ran.
public enum RejectionReason: String, Hashable, Sendable, CaseIterable {
    /// As many requests as its queue policy allows waited already.
    case queueFull = "queue_full"
    /// It waited as long as its queue policy allows.
    case timeout
    /// The model was being stopped.
    case stopping
    /// No instance was left, and another would not have been made in time.
    case noInstance = "no_instance"
}

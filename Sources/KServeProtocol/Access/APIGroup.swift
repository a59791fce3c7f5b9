/// The parts of the protocol that can be restricted, by Triton's names.
package enum APIGroup: String, Hashable, Sendable, CaseIterable {
    case health
    case metadata
    case inference
    case sharedMemory = "shared-memory"
    case modelConfiguration = "model-config"
    case modelRepository = "model-repository"
    case statistics
    case trace
    case logging
}

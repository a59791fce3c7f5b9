internal import Tensors

/// Why a model is not loaded, and how far its load came.
struct LoadFailure: Error {
    enum Stage {
        /// What lies in the repository, or what the request brought, could not be read as a model.
        case reading
        /// A version could not be made of it.
        case making
        /// It was given up, or never begun.
        case abandoned
    }

    var error: HalcyonError
    var stage: Stage

    /// What a client is told, with Triton's words for it in front: its clients look for them.
    func answer(for name: String) -> HalcyonError {
        guard !error.message.hasPrefix("failed to load '") else { return error }
        return switch stage {
        case .reading: error.prefixed("failed to load '\(name)', failed to poll from model repository: ")
        case .making: error.prefixed("load failed for model '\(name)': ")
        case .abandoned: error.prefixed("failed to load '\(name)', no version is available: ")
        }
    }
}

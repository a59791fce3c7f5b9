internal import Tensors

/// What the engine complains of on a GPU, in terms of what to do about it.
enum EngineFailure {
    /// Whether a complaint is about a GPU's memory.
    static func isOutOfMemory(_ message: String) -> Bool {
        ["out of memory", "Failed to allocate memory", "OutOfMemory", "CUBLAS_STATUS_ALLOC_FAILED"].contains {
            message.contains($0)
        }
    }

    /// The same error with the right code, and a hint where there is one.
    static func explained(_ error: HalcyonError) -> HalcyonError {
        if isOutOfMemory(error.message) { return HalcyonError(.unavailable, error.message) }
        if error.message.contains("Failed to load library") {
            return error.reworded(
                "\(error.message) (it needs NVIDIA's libraries of CUDA and cuDNN, and of TensorRT for that, where the "
                    + "system's loader finds them)")
        }
        if error.message.lowercased().contains("deserialize") {
            return error.reworded(
                "\(error.message) (an engine in the folder of trt_engine_cache_path was built for another GPU or by "
                    + "another version: empty the folder)")
        }
        return error
    }
}

internal import CTriton
internal import ModelRuntime
internal import Tensors

/// Where a request's responses go: memory from its allocator, and then a call to its program.
struct ResponseOutlet: @unchecked Sendable {
    let models: any ServedModels
    let allocator: ResponseAllocatorObject
    let allocatorUserp: UnsafeMutableRawPointer?
    let function: TRITONSERVER_InferenceResponseCompleteFn_t
    let userp: UnsafeMutableRawPointer?

    /// The response with its outputs in the program's memory; with an error where that could not be had.
    func response(_ response: InferenceResponse) -> InferenceResponseObject {
        let object = InferenceResponseObject(
            model: response.modelName, version: response.modelVersion, id: response.id, models: models)
        do throws(HalcyonError) {
            object.parameters = response.parameters.map(ResponseParameter.init)
            try allocator.start(allocatorUserp)
            for tensor in response.outputs { try object.add(try output(tensor)) }
        } catch {
            object.fail(error)
        }
        return object
    }

    private func output(_ tensor: Tensor) throws(HalcyonError) -> ResponseOutput {
        let memory = try allocator.memory(
            for: tensor.name, byteCount: tensor.data.byteCount, in: tensor.data.placement, allocatorUserp)
        do throws(HalcyonError) {
            if let base = memory.base, tensor.data.byteCount > 0 { try copy(tensor, to: base, memory) }
        } catch {
            allocator.free(memory)
            throw error
        }
        return ResponseOutput(tensor, memory, of: allocator)
    }

    private func copy(
        _ tensor: Tensor, to base: UnsafeMutableRawPointer, _ memory: ResponseAllocatorObject.Memory
    ) throws(HalcyonError) {
        let placement = try MemoryPlacement(memory.type, memory.typeID)
        guard placement.isHostAccessible || tensor.data.placement == placement else {
            throw HalcyonError(
                .unsupported,
                "output '\(tensor.name)' lies in \(tensor.data.placement), and the response allocator gave memory in "
                    + "\(placement): expected it where the output lies, or where the processor reaches it")
        }
        try tensor.data.copy(to: base)
    }

    func fail(_ error: HalcyonError, model: String, version: Int64?, id: String) {
        let object = InferenceResponseObject(model: model, version: version ?? -1, id: id, models: models)
        object.fail(error)
        give(object, isFinal: true)
    }

    /// Calls the program.
    ///
    /// - Parameter response: `nil` where there is nothing to say but that nothing more comes.
    func give(_ response: InferenceResponseObject?, isFinal: Bool) {
        // Without room for another handle the program learns at least that it need not wait.
        let pointer = response.flatMap { try? Handles.give($0) }
        let flags = isFinal ? TRITONSERVER_RESPONSE_COMPLETE_FINAL.rawValue : 0
        Callback.call { function(pointer, flags, userp) }
    }
}

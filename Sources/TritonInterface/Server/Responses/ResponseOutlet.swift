internal import CTriton
internal import ModelRuntime
internal import Tensors

/// Where a request's responses go: memory from its allocator, and then a call to its program.
struct ResponseOutlet: @unchecked Sendable {
    let server: ServerObject
    let memory: AllocatedOutputs
    let function: TRITONSERVER_InferenceResponseCompleteFn_t
    let userp: UnsafeMutableRawPointer?

    /// The response with its outputs in the program's memory; with an error where that could not be had.
    func response(_ response: InferenceResponse) -> InferenceResponseObject {
        let object = InferenceResponseObject(
            model: response.modelName, version: response.modelVersion, id: response.id, server: server)
        do throws(HalcyonError) {
            object.parameters = response.parameters.map(ResponseParameter.init)
            // Whoever made the outputs may have started the response and then written elsewhere. What has become an
            // output goes back with that, and what has not with its storage.
            if !memory.claimStart(), !response.outputs.contains(where: { memory.gave($0.data) }) {
                try memory.allocator.start(memory.userp)
            }
            object.reserve(response.outputs.count)
            for tensor in response.outputs { object.add(try output(tensor, memory.claim(tensor.data))) }
        } catch {
            object.fail(error)
        }
        return object
    }

    /// - Parameter given: the program's own memory, where the output was written into that.
    private func output(
        _ tensor: Tensor, _ given: ResponseAllocatorObject.Memory?
    ) throws(HalcyonError) -> ResponseOutput {
        if let given { return ResponseOutput(tensor, name: server.text(tensor.name), given, of: memory.allocator) }
        let place = try memory.place(for: tensor.name, byteCount: tensor.data.byteCount, in: tensor.data.placement)
        do throws(HalcyonError) {
            if let base = place.base, tensor.data.byteCount > 0 { try copy(tensor, to: base, place) }
        } catch {
            memory.allocator.free(place)
            throw error
        }
        return ResponseOutput(tensor, name: server.text(tensor.name), place, of: memory.allocator)
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

    /// A response that is an error. A program whose allocator counts responses counts it too.
    func failure(_ error: HalcyonError, model: String, version: Int64?, id: String) -> InferenceResponseObject {
        let object = InferenceResponseObject(model: model, version: version ?? -1, id: id, server: server)
        // The error that there is says more than that the allocator has one.
        if !memory.claimStart() { try? memory.allocator.start(memory.userp) }
        object.fail(error)
        return object
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

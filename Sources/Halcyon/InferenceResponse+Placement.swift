internal import ModelRuntime
internal import Tensors

extension InferenceResponse {
    /// The same with all outputs in memory of a placement, except for texts.
    func placed(
        in placement: MemoryPlacement, by memory: some MemoryProvider
    ) throws(HalcyonError) -> InferenceResponse {
        var response = self
        for index in response.outputs.indices where response.outputs[index].elementType != .bytes {
            response.outputs[index].data = try memory.place(response.outputs[index].data, in: placement)
        }
        return response
    }
}

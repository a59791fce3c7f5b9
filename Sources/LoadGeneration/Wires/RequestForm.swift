/// What all requests of a run have in common.
package struct RequestForm: Sendable {
    package var model: ModelDescription
    package var data: RequestData
    package var batch: Int
    /// Headers, or metadata of gRPC, by their names in small letters.
    package var headers: [(name: String, value: String)] = []
    /// Requests in a sequence; 0 for requests that belong to none.
    package var sequenceLength = 0
    /// Whether responses are read as they come: for models that give several.
    package var isStreaming = false
    /// Whether tensors over HTTP are written as JSON numbers.
    package var usesJSON = false
    /// Where tensors lie in place of the requests.
    package var memory: SharedTensors?

    package init(model: ModelDescription, data: RequestData, batch: Int) {
        self.model = model
        self.data = data
        self.batch = batch
    }
}

package import Halcyon

/// An inference request as a protocol brings it: what the engine needs, and how the answer is to be given.
package struct InferenceCall: Sendable {
    package var request: InferenceRequest
    package var form: AnswerForm

    package init(request: InferenceRequest, outputs: [RequestedOutput]) {
        self.request = request
        form = AnswerForm(outputs: outputs)
    }
}

/// How an answer is to be given.
package struct AnswerForm: Sendable {
    /// The outputs to return, in this order; empty for all of the model's.
    package var outputs: [RequestedOutput]
    /// Whether outputs that do not say how they want to be given come as binary data.
    package var prefersBinary = false
    /// Whether the first dimension of the outputs is the batch.
    package var hasBatchDimension = false
    /// The labels of the outputs that are given as classes, by name.
    package var labels: [String: [String]] = [:]
}

/// An output that a request names, and how it wants it.
package struct RequestedOutput: Hashable, Sendable {
    package var name: String
    /// As binary data behind the JSON; `nil` to leave it to the request's own wish. HTTP only.
    package var isBinary: Bool?
    /// How many of the largest values to give as classes with labels, in place of the values; 0 for the values.
    package var classCount = 0
    /// The region of shared memory to write the values into.
    package var region: RegionReference?

    package init(name: String) { self.name = name }
}

/// A part of a registered region of shared memory.
package struct RegionReference: Hashable, Sendable {
    package var name: String
    /// Bytes from the region's start.
    package var offset: Int
    package var byteCount: Int

    package init(name: String, offset: Int, byteCount: Int) {
        self.name = name
        self.offset = offset
        self.byteCount = byteCount
    }
}

public import ModelRuntime

/// The responses to one request, as they come. A model that gives them faster than they are taken is held back.
public struct InferenceResponses: AsyncSequence, Sendable {
    public typealias Element = InferenceResponse
    public typealias Failure = any Error

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var stream: AsyncThrowingStream<InferenceResponse, any Error>.AsyncIterator
        fileprivate let flow: ResponseFlow

        /// - Throws: as ``InferenceServer/infer(_:)``.
        public mutating func next() async throws -> InferenceResponse? {
            guard let response = try await stream.next() else { return nil }
            flow.took()
            return response
        }
    }

    let stream: AsyncThrowingStream<InferenceResponse, any Error>
    let flow: ResponseFlow

    /// One iteration: a second one has nothing left.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: stream.makeAsyncIterator(), flow: flow)
    }
}

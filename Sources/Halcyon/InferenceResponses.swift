public import ModelRuntime
public import Tensors

/// The responses to one request, as they come. A model that gives them faster than they are taken is held back.
public struct InferenceResponses: AsyncSequence, Sendable {
    /// One response.
    public typealias Element = InferenceResponse
    /// What ends the responses before their time.
    public typealias Failure = HalcyonError

    /// Takes the responses one by one.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var stream: AsyncThrowingStream<InferenceResponse, any Error>.AsyncIterator
        fileprivate let flow: ResponseFlow

        /// - Returns: the next response; `nil` after the last, and where the task was cancelled.
        /// - Throws: as ``InferenceServer/infer(_:)``.
        public mutating func next() async throws(HalcyonError) -> InferenceResponse? {
            try await next(isolation: nil)
        }

        /// As ``next()``, on an actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(HalcyonError) -> InferenceResponse? {
            let response: InferenceResponse?
            do {
                response = try await stream.next(isolation: actor)
            } catch {
                throw HalcyonError(wrapping: error)
            }
            if response != nil { flow.took() }
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

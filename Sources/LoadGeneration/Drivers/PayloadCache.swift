internal import NIOCore

/// Requests as bytes, encoded once where they are the same each time.
final class PayloadCache: Sendable {
    private let form: RequestForm
    private let steps: [RequestData.Step]
    private let encode: @Sendable (RequestForm, RequestData.Step, Int, Int, RequestCursor.Next) -> ByteBuffer
    /// For requests whose outputs lie elsewhere for each lane, one for each lane and step.
    private let ready: [ByteBuffer]
    private let lanes: Int

    init(
        _ form: RequestForm, lanes: Int,
        encode: @escaping @Sendable (RequestForm, RequestData.Step, Int, Int, RequestCursor.Next) -> ByteBuffer
    ) {
        self.form = form
        self.encode = encode
        self.lanes = lanes
        let steps = form.data.steps
        self.steps = steps
        ready =
            form.sequenceLength > 0
            ? []
            : (0..<(form.memory == nil ? 1 : lanes)).flatMap { lane in
                steps.indices.map { encode(form, steps[$0], lane, $0, RequestCursor.Next(step: $0)) }
            }
    }

    func payload(_ next: RequestCursor.Next, lane: Int) -> ByteBuffer {
        guard form.sequenceLength == 0 else { return encode(form, steps[next.step], lane, next.step, next) }
        return ready[(form.memory == nil ? 0 : lane % lanes) * steps.count + next.step]
    }
}

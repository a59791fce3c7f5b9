internal import KServeProtocol
internal import Tensors
internal import Transport

/// A message as it came, and how to make it plain.
struct GRPCReading: Sendable {
    let message: GRPCMessageDecoder.Message
    /// The request's.
    let encoding: Compression?
    let limit: Int
    let budget: ByteBudget

    /// - Throws: `internal` for a message that is compressed in a way that nobody named; `resourceExhausted` for one
    ///   that becomes too large.
    func plain() throws(GRPCStatus) -> TensorBuffer {
        guard message.isCompressed else { return message.bytes }
        guard let encoding else {
            throw GRPCStatus(.internal, "a message is compressed, and grpc-encoding does not say how")
        }
        do {
            return try message.bytes.withUnsafeBytes {
                try encoding.decompress($0, limit: limit, limitName: "grpc-max-message-size", budget: budget)
            }
        } catch {
            throw GRPCStatus(HalcyonError(wrapping: error))
        }
    }
}

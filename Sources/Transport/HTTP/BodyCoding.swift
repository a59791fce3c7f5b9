internal import NIOHTTP1
internal import Tensors

/// The content coding of a request's body, and what its plain bytes may take.
package struct BodyCoding: Sendable {
    private let name: String
    private let limit: Int
    private let budget: ByteBudget

    /// - Parameter limit: of the decompressed body.
    /// - Returns: `nil` for a body that comes as it is.
    init?(_ headers: HTTPHeaders, limit: Int, budget: ByteBudget) {
        guard let name = headers.first(name: "content-encoding"), name.lowercased() != "identity" else { return nil }
        self.name = name
        self.limit = limit
        self.budget = budget
    }

    func decode(_ body: TensorBuffer) throws(HTTPConnectionError) -> TensorBuffer {
        guard let coding = Compression(rawValue: name.lowercased()) else {
            throw HTTPConnectionError(
                .unsupportedMediaType,
                "content-encoding '\(name.prefix(100))' is not supported, only gzip and deflate")
        }
        do {
            return try body.withUnsafeBytes {
                try coding.decompress($0, limit: limit, limitName: "http-max-input-size", budget: budget)
            }
        } catch {
            let error = HalcyonError(wrapping: error)
            throw HTTPConnectionError(error.code == .unavailable ? .serviceUnavailable : .badRequest, error.message)
        }
    }
}

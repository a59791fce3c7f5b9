internal import NIOHTTP1
internal import Tensors

/// Compressed bodies, by the headers that announce and ask for them.
enum ContentCoding {
    /// - Parameter limit: of the decompressed body.
    static func decode(
        _ body: Buffer, _ headers: HTTPHeaders, limit: Int, budget: ByteBudget
    ) throws(HTTPConnectionError) -> Buffer {
        guard let name = headers.first(name: "content-encoding"), name != "identity" else { return body }
        guard let coding = Compression(rawValue: name.lowercased()) else {
            throw HTTPConnectionError(
                .unsupportedMediaType, "content-encoding '\(name)' is not supported, only gzip and deflate")
        }
        do {
            let bytes = try body.withUnsafeBytes { bytes throws(HalcyonError) in
                try coding.decompress(bytes, limit: limit, limitName: "http-max-input-size")
            }
            return try budget.charge(bytes)
        } catch let error as HalcyonError {
            throw HTTPConnectionError(error.code == .unavailable ? .serviceUnavailable : .badRequest, error.message)
        } catch {
            throw HTTPConnectionError(.badRequest, "\(error)")
        }
    }

    /// The answer compressed as the client prefers; as it is where the client asks for nothing.
    static func encode(_ answer: HTTPAnswer, for headers: HTTPHeaders) -> HTTPAnswer {
        guard answer.mayBeCompressed, let accepted = headers.first(name: "accept-encoding"), answer.byteCount > 0,
            let coding = preferred(accepted)
        else { return answer }
        var bytes: [UInt8] = []
        do {
            bytes = try answer.head.withUnsafeBytes { head in
                try withBytes(of: answer.tail[...], [head]) { try coding.compress($0, level: 1) }
            }
        } catch {
            return answer
        }
        var encoded = answer
        encoded.head = bytes
        encoded.tail = []
        encoded.headers.append(("Content-Encoding", coding.rawValue))
        return encoded
    }

    private static func withBytes<Result>(
        of buffers: ArraySlice<Buffer>, _ bytes: [UnsafeRawBufferPointer],
        _ body: ([UnsafeRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        guard let first = buffers.first else { return try body(bytes) }
        return try first.withUnsafeBytes { try withBytes(of: buffers.dropFirst(), bytes + [$0], body) }
    }

    /// The coding with the larger weight; what has the weight 0 is refused (RFC 9110, section 12.5.3).
    private static func preferred(_ accepted: String) -> Compression? {
        var best: (coding: Compression, weight: Double)?
        for part in accepted.split(separator: ",") {
            let fields = part.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = fields.first else { continue }
            let weight =
                fields.dropFirst().first(where: { $0.hasPrefix("q=") }).flatMap { Double($0.dropFirst(2)) } ?? 1
            let coding: Compression? = name == "*" ? .gzip : Compression(rawValue: name.lowercased())
            if let coding, weight > best?.weight ?? 0 { best = (coding, weight) }
        }
        return best?.coding
    }
}

package import NIOHTTP1
internal import Tensors

/// Compressed answers, by the headers that ask for them.
package enum ContentCoding {
    /// The answer compressed as the client prefers; as it is where the client asks for nothing.
    package static func encode(_ answer: HTTPAnswer, for headers: HTTPHeaders) -> HTTPAnswer {
        guard answer.mayBeCompressed, answer.byteCount > 0, let coding = preferred(headers) else { return answer }
        var bytes: [UInt8] = []
        do {
            bytes = try answer.head.withUnsafeBytes { head in
                try withBytes(of: answer.tail[...], [head]) { try coding.compress($0, level: 1) }
            }
        } catch {
            return answer
        }
        var encoded = answer
        encoded.mayBeCompressed = false
        encoded.head = bytes
        encoded.tail = []
        encoded.headers.append(("Content-Encoding", coding.rawValue))
        return encoded
    }

    private static func withBytes<Result>(
        of buffers: ArraySlice<TensorBuffer>, _ bytes: [UnsafeRawBufferPointer],
        _ body: ([UnsafeRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        guard let first = buffers.first else { return try body(bytes) }
        return try first.withUnsafeBytes { try withBytes(of: buffers.dropFirst(), bytes + [$0], body) }
    }

    /// The coding with the larger weight; what has the weight 0 is refused (RFC 9110, section 12.5.3).
    package static func preferred(_ headers: HTTPHeaders) -> Compression? {
        guard let accepted = headers.first(name: "accept-encoding") else { return nil }
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

internal import JSONText
internal import Tensors

extension JSONValue {
    /// - Throws: `invalidArgument` for a text that is no JSON.
    static func read(_ bytes: [UInt8], _ what: String) throws(HalcyonError) -> JSONValue {
        do {
            return try bytes.withUnsafeBytes { try JSONValue(reading: $0, depth: 64) }
        } catch {
            throw HalcyonError(
                .invalidArgument, "\(what) is no JSON text: \((error as? JSONError)?.description ?? "\(error)")")
        }
    }

    /// A whole number, as such or as a text, which is how protobuf's JSON writes those of 64 bits.
    var whole: Int64? {
        switch self {
        case .integer(let value): value
        case .string(let text): Int64(text)
        default: nil
        }
    }

    var unsigned: UInt64? {
        switch self {
        case .unsigned(let value): value
        case .string(let text): UInt64(text)
        default: whole.flatMap { UInt64(exactly: $0) }
        }
    }
}

internal import Tensors
internal import URIText

/// What stands behind the question mark of a request's target: `?after=12&interval=500`.
struct QueryParameters {
    private let values: [String: String]

    init(_ uri: String) {
        let query = uri.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        let parts = query.split(separator: UInt8(ascii: "&"))
        values = Dictionary(
            parts.compactMap { part in
                let name = part.prefix { $0 != UInt8(ascii: "=") }
                let value = part.dropFirst(name.count + 1)
                guard let name = PercentEncoding.decode(Substring(name)),
                    let value = PercentEncoding.decode(Substring(value))
                else { return nil }
                return (name, value)
            }
        ) { _, last in last }
    }

    /// - Throws: `invalidArgument` for a value that is no number.
    func number(_ name: String) throws(HalcyonError) -> UInt64? {
        guard let text = values[name] else { return nil }
        guard let number = UInt64(text) else {
            throw HalcyonError(
                .invalidArgument,
                "the parameter '\(name)' of the address is a number from 0, got '\(text.shortened(to: 100))'")
        }
        return number
    }
}

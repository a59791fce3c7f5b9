package import Tensors

/// Which parts of the protocol need a key in a header (`--http-restricted-api`, `--grpc-restricted-protocol`).
///
/// Every route and every RPC asks here, and nowhere else.
package struct AccessPolicy: Hashable, Sendable {
    /// The header that opens a part, and the value it must have.
    package struct Key: Hashable, Sendable {
        package var header: String
        package var value: String
    }

    private var keys: [APIGroup: Key] = [:]

    package init() {}

    /// Takes in one setting, `health,metadata:admin-key=secret`.
    ///
    /// - Parameter headerPrefix: what stands before the key's name in a header.
    /// - Throws: `invalidArgument` that says what the form is, or which parts there are.
    package mutating func restrict(_ setting: String, headerPrefix: String = "") throws(HalcyonError) {
        guard let colon = setting.firstIndex(of: ":"),
            let equals = setting[colon...].firstIndex(of: "="), colon > setting.startIndex,
            setting.index(after: colon) < equals, setting.index(after: equals) < setting.endIndex
        else {
            throw HalcyonError(
                .invalidArgument, "expected <protocol>,<protocol>,…:<header>=<value>, got '\(setting)'")
        }
        let header = headerPrefix + setting[setting.index(after: colon)..<equals]
        let key = Key(header: header.lowercased(), value: String(setting[setting.index(after: equals)...]))
        for name in setting[..<colon].split(separator: ",", omittingEmptySubsequences: false) {
            guard let group = APIGroup(rawValue: String(name)) else {
                throw HalcyonError(
                    .invalidArgument,
                    "unknown restricted protocol '\(name)'; there are "
                        + APIGroup.allCases.map(\.rawValue).joined(separator: ", "))
            }
            guard keys[group] == nil else {
                throw HalcyonError(.invalidArgument, "protocol '\(name)' is restricted twice")
            }
            keys[group] = key
        }
    }

    /// The key that a request needs and does not have, or `nil` where it may pass.
    ///
    /// - Parameter header: the value of a header of the request, by its name in lower case.
    package func missingKey(for group: APIGroup, header: (String) -> String?) -> Key? {
        guard !keys.isEmpty, let key = keys[group] else { return nil }
        let given = header(key.header) ?? ""
        return Self.isEqual(given, key.value) ? nil : key
    }

    /// Takes as long for a near miss as for a far one.
    private static func isEqual(_ given: String, _ expected: String) -> Bool {
        let (given, expected) = (Array(given.utf8), Array(expected.utf8))
        var difference = given.count ^ expected.count
        for index in expected.indices { difference |= Int(index < given.count ? given[index] ^ expected[index] : 1) }
        return difference == 0
    }
}

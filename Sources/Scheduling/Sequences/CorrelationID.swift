/// What tells the requests of one sequence from those of another. A number and a text that reads like it are two.
package enum CorrelationID: Hashable, Sendable {
    case number(UInt64)
    case text(String)

    /// What a request without a sequence carries, and a slot without a request.
    package static let absent = CorrelationID.number(0)

    /// Whether it names no sequence: 0 or the empty text.
    package var isAbsent: Bool {
        switch self {
        case .number(let number): number == 0
        case .text(let text): text.isEmpty
        }
    }
}

extension CorrelationID: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }
}

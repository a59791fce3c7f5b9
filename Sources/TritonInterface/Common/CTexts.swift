internal import Threads

/// Texts as C reads them, each made once: names that come again and again.
final class CTexts: Sendable {
    private let known = Locked<[String: CText]>([:])
    /// Of what callers make up, only so much is kept.
    private static let limit = 1024

    subscript(text: String) -> CText {
        if text.isEmpty { return .empty }
        return known.withLock { known in
            if let made = known[text] { return made }
            let made = CText(text)
            if known.count < Self.limit { known[text] = made }
            return made
        }
    }
}

/// What to load and unload, from what lies in the repositories time after time.
///
/// A model whose folder has changed is left alone until it looks the same twice in a row: somebody may still be writing
/// into it, or be about to put another in its place.
struct PollPolicy {
    enum Action: Hashable, Comparable {
        case unload(String)
        case load(String)
    }

    /// What a folder looks like: equal for equal contents, as far as names, sizes and times tell.
    typealias Fingerprint = UInt64

    /// At the last look.
    private var seen: [String: Fingerprint]
    /// Of what was loaded, or tried to be.
    private var taken: [String: Fingerprint]

    /// - Parameter loaded: what was there when the models were loaded at start.
    init(loaded: [String: Fingerprint]) {
        seen = loaded
        taken = loaded
    }

    /// Whether nothing that was there at the last look waits to look the same twice.
    var isSettled: Bool { seen == taken }

    /// Takes a look.
    ///
    /// - Parameter found: by key; `nil` for a folder that could not be read, which is taken to be as it was.
    /// - Returns: what to do now.
    mutating func actions(for found: [String: Fingerprint?]) -> [Action] {
        var present: [String: Fingerprint] = [:]
        for (name, fingerprint) in found { present[name] = fingerprint ?? seen[name] }
        var actions: [Action] = []
        for (name, fingerprint) in present where seen[name] == fingerprint && taken[name] != fingerprint {
            taken[name] = fingerprint
            actions.append(.load(name))
        }
        for name in taken.keys where present[name] == nil && seen[name] == nil {
            taken[name] = nil
            actions.append(.unload(name))
        }
        seen = present
        return actions.sorted()
    }
}

package import LibraryFiles

/// What a search for an engine came to.
package struct EngineFinding: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case found
        /// There is no such folder.
        case absent
        /// The folder holds no library.
        case empty
        /// Others could put libraries there; a sentence says who and where.
        case untrusted(String)
    }

    /// A look at one place.
    package struct Look: Hashable, Sendable {
        package var place: EnginePlace
        /// The engine's own folder there.
        package var folder: String
        package var outcome: Outcome
    }

    package let engine: String
    let flag: String
    /// In the order of the search.
    package let looks: [Look]

    /// The folder that is used, and why it was looked at; `nil` where none was found.
    package var taken: Look? { looks.first { $0.outcome == .found } }

    /// The folders to load from. One that somebody has named stays among them if it is empty: it may yet be filled.
    package var directories: [String] {
        looks.filter { $0.outcome == .found || $0.place.isChosen }.map(\.folder)
    }

    /// The places that hold the engine and are not used, each with the reason.
    package var refusals: [String] {
        looks.compactMap { look in
            guard case .untrusted(let complaint) = look.outcome else { return nil }
            return "\(look.folder) is not used: \(complaint); \(flag) uses it all the same"
        }
    }

    /// What a user is told where the engine's library is nowhere.
    package var absence: LibraryAbsence {
        LibraryAbsence(
            places: looks.map { look in
                if case .untrusted(let complaint) = look.outcome { return "\(look.folder) (not used: \(complaint))" }
                return look.folder
            },
            advice: "\(flag) or the variable HALCYON_BACKENDS names the folder that holds \(engine)/")
    }
}

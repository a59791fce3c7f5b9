/// What to tell a user where the library of an engine is nowhere.
package struct LibraryAbsence: Hashable, Sendable {
    /// The folders in which it was looked for, each with what there is to say of it; empty for those that are searched.
    package var places: [String]
    /// How to say where it is; empty for nothing.
    package var advice: String

    package init(places: [String] = [], advice: String = "") {
        self.places = places
        self.advice = advice
    }

    /// - Parameters:
    ///   - library: the engine and its library, for people.
    ///   - directories: the folders that were searched.
    package func sentence(_ library: String, directories: [String]) -> String {
        let searched = (places.isEmpty ? directories : places) + ["the system's library path"]
        let advice = advice.isEmpty ? "" : ", and \(advice)"
        return "\(library) is not in \(searched.joined(separator: ", ")). `make deps`, run in Halcyon's folder, "
            + "fetches it into .deps/backends there\(advice)."
    }
}

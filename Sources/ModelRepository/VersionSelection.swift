package import ModelConfigurations

/// Which of the versions that are there are served. A pure function of the two.
package enum VersionSelection {
    /// The chosen versions, ascending; empty where the policy finds none.
    package static func versions(_ available: [Int64], policy: VersionPolicy) -> [Int64] {
        let sorted = Set(available).sorted()
        return switch policy {
        case .latest(let count): Array(sorted.suffix(max(0, count)))
        case .all: sorted
        case .specific(let wanted): sorted.filter(wanted.contains)
        }
    }

    /// The versions that the policy names and that are not there, ascending.
    package static func absentVersions(_ available: [Int64], policy: VersionPolicy) -> [Int64] {
        guard case .specific(let wanted) = policy else { return [] }
        return Set(wanted).subtracting(available).sorted()
    }
}

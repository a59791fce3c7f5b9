/// What a load has to do, from what serves and what is wanted. A pure function of the two.
///
/// A version that would be made of the same again stays: a new version beside it, or one less, costs it nothing.
struct VersionPlan: Hashable {
    /// Versions that go on as they are, ascending.
    let keep: [Int64]
    /// Versions that go on with other instances, ascending: nothing else of them has changed.
    private(set) var adjust: [Int64]
    /// Versions to make, ascending: new ones, and those whose files or configuration have changed.
    private(set) var load: [Int64]
    /// Versions that serve and are to go once the new ones do, ascending. One that is made again is among both.
    private(set) var retire: [Int64]

    /// - Parameters:
    ///   - serving: what the versions that serve were made of; `nil` for one that is to be made again in any case.
    ///   - wanted: the same of those that are to serve.
    init(serving: [Int64: VersionIdentity?], wanted: [Int64: VersionIdentity?]) {
        let kept = wanted.filter { version, identity in
            guard let identity, case .some(.some(let present)) = serving[version] else { return false }
            return identity == present
        }
        let adjusted = wanted.filter { version, identity in
            guard let identity, case .some(.some(let present)) = serving[version] else { return false }
            return identity.differsInInstancesOnly(from: present)
        }
        keep = kept.keys.sorted()
        adjust = adjusted.keys.sorted()
        load = wanted.keys.filter { kept[$0] == nil && adjusted[$0] == nil }.sorted()
        retire = serving.keys.filter { kept[$0] == nil && adjusted[$0] == nil }.sorted()
    }

    /// Versions that something is made for, ascending.
    var change: [Int64] { (adjust + load).sorted() }

    /// A version can't go on with other instances, and is made again.
    mutating func makeAnew(_ version: Int64) {
        adjust.removeAll { $0 == version }
        load = (load + [version]).sorted()
        retire = (retire + [version]).sorted()
    }
}

internal import ModelConfigurations

/// What a loaded version was made of: of two equal ones a new load would make the same again.
struct VersionIdentity: Hashable, Sendable {
    /// As written, except for the version policy, which chooses among versions and changes none.
    private(set) var configuration: ModelConfiguration
    /// The version's folder, as far as names, sizes and times tell.
    let contents: UInt64
    /// The files beside the version folders: labels, warm-up samples, initial states.
    let shared: UInt64

    init(configuration: ModelConfiguration, contents: UInt64, shared: UInt64) {
        var configuration = configuration
        configuration.versionPolicy = .latest(1)
        self.configuration = configuration
        self.contents = contents
        self.shared = shared
    }

    /// Whether the other is the same except for the instances: then those can be changed while the version serves.
    func differsInInstancesOnly(from other: VersionIdentity) -> Bool {
        var (left, right) = (self, other)
        left.configuration.instanceGroups = []
        right.configuration.instanceGroups = []
        return self != other && left == right
    }
}

package import ModelConfigurations

/// A model that has a say in which instances it has, and in how they are made.
package protocol InstancePreferences: BackendModel {
    /// What it would like where its configuration has no groups, the most wanted first; empty for whatever comes.
    var preferredInstanceGroups: [InstanceGroup] { get }

    /// Whether several of its instances may be made at the same time, each on a thread of its own.
    var makesInstancesTogether: Bool { get }
}

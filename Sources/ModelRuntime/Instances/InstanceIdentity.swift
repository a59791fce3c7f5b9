public import ModelConfigurations

/// Which instance of a model it is, and where it runs.
public struct InstanceIdentity: Hashable, Sendable {
    /// Triton's names: `<group>_<index in the group>`. The group is `<model>_<group's index>` where the
    /// configuration gives it no name, and `<model>` where the configuration has no groups.
    public var name: String
    /// CPU, GPU or MODEL: AUTO has been decided by then.
    public var kind: InstanceGroup.Kind
    /// The GPU's number for `.gpu`.
    public var gpu: Int?
    /// Position among all instances of the model version, from 0.
    public var index: Int
    /// The position of its group in the configuration, from 0.
    public var group: Int
    /// Where its thread runs; `nil` for anywhere.
    public var hostPolicy: HostPolicy?

    /// An instance; for tests of a backend.
    public init(name: String, kind: InstanceGroup.Kind, gpu: Int? = nil, index: Int, group: Int = 0) {
        self.name = name
        self.kind = kind
        self.gpu = gpu
        self.index = index
        self.group = group
    }
}

/// The GPUs that a model may be placed on.
package struct GPUPlacement: Hashable, Sendable {
    /// What the model's engine can do with them.
    package enum Engine: Hashable, Sendable {
        /// It runs on the processor only.
        case never
        /// It could, if the installed library had what that takes. An instance that has to be on a GPU will say so.
        case unequipped
        case ready
    }

    /// The machine's GPUs by their numbers, in order; none where it has none, or none that is new enough.
    package var numbers: [Int]
    package var engine: Engine
    /// GPUs below it are not among the numbers.
    package var minimumComputeCapability: Double

    package init(numbers: [Int], engine: Engine, minimumComputeCapability: Double = 6.0) {
        self.numbers = numbers
        self.engine = engine
        self.minimumComputeCapability = minimumComputeCapability
    }

    /// A machine without GPUs.
    package static let none = GPUPlacement(numbers: [], engine: .never)

    /// The first of a model's preferred groups that can be here; `nil` for none. Of a group's GPUs those are taken that
    /// there are.
    package func first(of preferred: [InstanceGroup]) -> InstanceGroup? {
        for group in preferred {
            guard group.kind == .gpu else { return group }
            var group = group
            let named = group.gpus
            group.gpus = named.filter(numbers.contains)
            if engine == .ready, !numbers.isEmpty, named.isEmpty || !group.gpus.isEmpty { return group }
        }
        return nil
    }

    /// What a group's AUTO comes to: a GPU where the engine has all it takes and every GPU that the group names is
    /// there.
    package func kind(of group: InstanceGroup) -> InstanceGroup.Kind {
        guard group.kind == .auto else { return group.kind }
        return engine == .ready && !numbers.isEmpty && group.gpus.allSatisfy(numbers.contains) ? .gpu : .cpu
    }
}

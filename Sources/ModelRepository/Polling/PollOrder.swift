/// In which order the actions of one look are done. A pure function.
enum PollOrder {
    /// Models are loaded behind those that they need, and unloaded before them. Loads come first, so that an ensemble
    /// that needs a model no longer has been loaded again before the model goes.
    ///
    /// - Parameters:
    ///   - needs: the models that one needs, by what lies in the repositories.
    ///   - needed: the same by what serves.
    static func sorted(
        _ actions: [PollPolicy.Action], needs: (String) -> [String], needed: (String) -> [String]
    ) -> [PollPolicy.Action] {
        var loads: Set<String> = []
        var unloads: Set<String> = []
        for action in actions {
            switch action {
            case .load(let key): loads.insert(key)
            case .unload(let key): unloads.insert(key)
            }
        }
        return outerFirst(loads, needs).reversed().map { .load($0) }
            + outerFirst(unloads, needed).map { .unload($0) }
    }

    private static func outerFirst(_ names: Set<String>, _ needs: (String) -> [String]) -> [String] {
        let steps = names.map { ($0, Set(needs($0)).intersection(names).subtracting([$0])) }
        return EnsembleOrder.stopping(Dictionary(steps) { $1 }).flatMap(\.self)
    }
}

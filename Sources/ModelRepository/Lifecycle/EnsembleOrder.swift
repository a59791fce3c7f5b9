internal import Tensors

/// In which order ensembles and the models of their steps come and go.
enum EnsembleOrder {
    struct Failure: Error {
        var error: HalcyonError
        /// Whether ensembles need each other, rather than a configuration being wrong.
        var isCycle: Bool
    }

    /// The models that a model needs, directly or by way of another, each behind those that it needs itself.
    ///
    /// - Parameter steps: the models that one needs directly.
    static func needed(
        for name: String, steps: (String) throws(HalcyonError) -> [String]
    ) throws(Failure) -> [String] {
        var order: [String] = []
        var path: [String] = []
        try visit(name, steps, &path, &order)
        return order.dropLast()
    }

    private static func visit(
        _ name: String, _ steps: (String) throws(HalcyonError) -> [String], _ path: inout [String],
        _ order: inout [String]
    ) throws(Failure) {
        if order.contains(name) { return }
        if path.contains(name) {
            let circle = (path.drop { $0 != name } + [name]).joined(separator: " -> ")
            throw Failure(
                error: HalcyonError(.invalidArgument, "circular dependency between ensembles: \(circle)"), isCycle: true
            )
        }
        path.append(name)
        let needed: [String]
        do {
            needed = try steps(name)
        } catch {
            throw Failure(error: error, isCycle: false)
        }
        let here = path
        for other in needed {
            do {
                try visit(other, steps, &path, &order)
            } catch  where !error.isCycle {
                // A step whose own files are wrong says so when it is loaded.
                if !order.contains(other) { order.append(other) }
                path = here
            }
        }
        path.removeLast()
        order.append(name)
    }

    /// The groups in which models can be stopped, so that no ensemble is left without its steps.
    ///
    /// - Parameter steps: for each model, those that it needs directly.
    static func stopping(_ steps: [String: Set<String>]) -> [[String]] {
        var left = steps
        var groups: [[String]] = []
        while !left.isEmpty {
            let needed = left.values.reduce(into: Set<String>()) { $0.formUnion($1) }
            var group = left.keys.filter { !needed.contains($0) }
            // Ensembles in a circle, which a change of configurations can make, go together.
            if group.isEmpty { group = Array(left.keys) }
            for name in group { left[name] = nil }
            groups.append(group.sorted())
        }
        return groups
    }
}

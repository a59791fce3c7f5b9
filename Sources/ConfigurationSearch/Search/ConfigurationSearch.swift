/// Looks for the best setting of a space without trying all: one axis after the other from where it stands, along an
/// ordered axis only as long as it gets better, and then again from other places, as the best number of instances is
/// another with batches than without.
///
/// A value: it says what is to be measured, and is told what came of it.
package struct ConfigurationSearch: Sendable {
    /// A step that made it better.
    package struct Step: Hashable, Sendable {
        package var axis: Axis
        package var from: Setting
        package var to: Setting
        /// By how many times the score grew.
        package var gain: Double
    }

    /// Values in a row that bring nothing, after which the rest of an axis is left out.
    private static let patience = 2
    /// By how much a score must be better to count as better: less is noise.
    private static let threshold = 1.01

    private let space: SearchSpace
    /// Axes with a choice, those first that matter most.
    private let axes: [Axis]
    private var scores: [Setting: Double] = [:]
    /// Places from which it climbs, one after the other.
    private var starts: [Setting]
    private var hasTriedPair = false
    /// Where the present climb stands.
    private var place: Setting
    private var axis = 0
    private var hasImproved = false
    /// What of the axis is still to be tried, nearest first, upwards and downwards.
    private var upwards: [Setting] = []
    private var downwards: [Setting] = []
    private var misses = 0
    private var isOpen = false
    private(set) package var best: Setting
    private(set) package var steps: [Step] = []
    /// The steps of the climb that is under way.
    private var climb: [Step] = []

    /// - Parameter present: where it begins; its score comes first.
    package init(_ space: SearchSpace, present: Setting) {
        self.space = space
        axes = Axis.allCases.filter { space.count($0) > 1 }
        place = present.canonical
        best = present.canonical
        var starts: [Setting] = []
        for batches in space.batches where batches != present.batches {
            var other = present
            other.batches = batches
            starts.append(other.canonical)
        }
        if let most = space.instances.last, let middle = space.instances.dropLast().last {
            var other = present
            other.instances = present.instances == most ? middle : most
            other.batches = space.batches.last ?? present.batches
            starts.append(other.canonical)
        }
        self.starts = starts
    }

    /// Settings that have been measured.
    package var count: Int { scores.count }

    package func score(_ setting: Setting) -> Double? { scores[setting.canonical] }

    /// The measured settings, best first.
    package var ranking: [(setting: Setting, score: Double)] {
        scores.sorted { $0.value > $1.value }.map { (setting: $0.key, score: $0.value) }
    }

    /// The setting to measure next; `nil` when nothing more is worth it.
    package mutating func next() -> Setting? {
        while true {
            if scores[place] == nil { return place }
            if !isOpen {
                guard axis < axes.count else {
                    guard endPass() else { return nil }
                    continue
                }
                openAxis()
            }
            guard let candidate = candidate() else {
                isOpen = false
                axis += 1
                continue
            }
            if scores[candidate] == nil { return candidate }
            judge(candidate)
        }
    }

    /// - Parameter score: more is better; 0 for a setting that can't be.
    package mutating func record(_ setting: Setting, score: Double) {
        let setting = setting.canonical
        scores[setting] = score
        if score > scores[best] ?? -1 || scores.count == 1 { best = setting }
        if setting != place, isOpen { judge(setting) }
    }

    /// - Returns: whether there is more to do.
    private mutating func endPass() -> Bool {
        axis = 0
        if hasImproved {
            hasImproved = false
            return true
        }
        if scores[place] ?? 0 >= scores[best] ?? 0 { steps = climb }
        addPair()
        guard !starts.isEmpty else { return false }
        place = starts.removeFirst()
        climb = []
        return true
    }

    /// Another instance may be worth it only where batches wait for longer, which no step along one axis finds.
    private mutating func addPair() {
        guard starts.isEmpty, !hasTriedPair, space.batches.contains(true), space.delays.count > 1 else { return }
        hasTriedPair = true
        var other = best
        other.batches = true
        other.delay = space.delays[space.delays.count / 2]
        let more = space.index(best, .instances) + 1
        if more < space.instances.count { other.instances = space.instances[more] }
        starts.append(other.canonical)
    }

    private mutating func openAxis() {
        let axis = axes[axis]
        let here = space.index(place, axis)
        func settings(_ indices: some Sequence<Int>) -> [Setting] {
            indices.map { space.setting(place, axis, at: $0).canonical }.filter { $0 != place }
        }
        isOpen = true
        misses = 0
        // Without batches nothing of what only they have is tried.
        if !place.batches, axis == .delay || axis == .preferred {
            (upwards, downwards) = ([], [])
        } else if axis.isOrdered {
            upwards = settings(here + 1..<max(here + 1, space.count(axis)))
            downwards = settings((0..<here).reversed())
        } else {
            upwards = settings(0..<space.count(axis))
            downwards = []
        }
    }

    private mutating func candidate() -> Setting? {
        if upwards.isEmpty, !downwards.isEmpty {
            upwards = downwards
            downwards = []
            misses = 0
        }
        return upwards.first
    }

    /// Moves where a candidate is better, and leaves the rest of a direction out that has brought nothing.
    private mutating func judge(_ candidate: Setting) {
        guard upwards.first == candidate else { return }
        upwards.removeFirst()
        let axis = axes[axis]
        let (old, new) = (scores[place] ?? 0, scores[candidate] ?? 0)
        if new > old * Self.threshold {
            climb.append(Step(axis: axis, from: place, to: candidate, gain: old > 0 ? new / old : .infinity))
            place = candidate
            hasImproved = true
            misses = 0
            // It lies in this direction, so not in the other.
            if axis.isOrdered { downwards = [] }
        } else if old > 0 {
            // From what can't be, any way out is good.
            misses += 1
            if axis.isOrdered, misses >= Self.patience { upwards = [] }
        }
    }
}

/// When a load has been measured long enough: the last windows agree on throughput and latency.
package struct Steadiness: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        /// Another window is wanted.
        case more
        /// The last windows agree.
        case steady
        /// They did not agree in all the windows that there may be.
        case unsteady
    }

    /// How far a window may lie from the mean of those that are compared, as a share of it.
    package var tolerance = 0.1
    /// Windows in a row that must agree.
    package var needed = 3
    package var most = 10

    package init(tolerance: Double = 0.1, needed: Int = 3, most: Int = 10) {
        self.tolerance = tolerance
        self.needed = needed
        self.most = most
    }

    package func decision(_ windows: [Window]) -> Decision {
        if windows.count >= needed, agree(windows.suffix(needed)) { return .steady }
        return windows.count >= max(most, needed) ? .unsteady : .more
    }

    /// The windows that the result is made of.
    package func counted(_ windows: [Window]) -> ArraySlice<Window> { windows.suffix(needed) }

    private func agree(_ windows: ArraySlice<Window>) -> Bool {
        windows.allSatisfy { $0.counts.requests > 0 } && isClose(windows.map(\.rate))
            && isClose(windows.map(\.counts.latency.mean))
    }

    private func isClose(_ values: [Double]) -> Bool {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        return values.allSatisfy { abs($0 - mean) <= tolerance * mean }
    }
}

/// What was seen in a stretch of time.
package struct Window: Sendable {
    package var seconds: Double
    package var counts: LoadCounts
    /// `nil` where the server tells nothing of itself.
    package var server: ServerCounts?

    package init(seconds: Double, counts: LoadCounts, server: ServerCounts? = nil) {
        self.seconds = seconds
        self.counts = counts
        self.server = server
    }

    /// Successful requests a second.
    package var rate: Double { seconds > 0 ? Double(counts.requests) / seconds : 0 }

    /// Several one after the other, as one.
    package static func merged(_ windows: some Sequence<Window>) -> Window {
        var all = Window(seconds: 0, counts: LoadCounts())
        for window in windows {
            all.seconds += window.seconds
            all.counts.add(window.counts)
            if let server = window.server {
                var sum = all.server ?? ServerCounts()
                sum.add(server)
                all.server = sum
            }
        }
        return all
    }
}

internal import ModelRuntime
internal import Tensors

/// What a trace holds: the request itself, and the requests that it made of other models.
struct TraceRecord: Sendable {
    struct Model: Hashable, Sendable {
        var name: String
        var version: Int64
        var requestID: String
    }

    enum Entry: Sendable {
        case model(Model)
        /// Nanoseconds of the machine's monotonic clock.
        case point(TracePoint, UInt64)
        /// Written out when the trace is.
        case tensor(TracedTensor, Tensor, ByteBudget.Charge)
    }

    /// One request of one model.
    struct Part: Sendable {
        let id: UInt64
        /// The index of the part that made it; `nil` for the first, which a client made.
        let parent: Int?
        var entries: [Entry] = []
        var error: HalcyonError?

        init(id: UInt64, parent: Int? = nil) {
            self.id = id
            self.parent = parent
        }

        var points: [(point: TracePoint, time: UInt64)] {
            entries.compactMap { entry in
                if case .point(let point, let time) = entry { (point, time) } else { nil }
            }
        }

        /// When a point was reached first.
        func time(of point: TracePoint) -> UInt64? {
            for case .point(point, let time) in entries { return time }
            return nil
        }
    }

    /// A part comes behind the one that made it.
    var parts: [Part]

    init(id: UInt64) { parts = [Part(id: id)] }
}

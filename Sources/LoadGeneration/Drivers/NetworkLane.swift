/// One request at a time to a server: a connection of HTTP/1, or a stream after the other of HTTP/2. On one event loop.
final class NetworkLane {
    let index: Int
    var connection: LaneConnection?
    var cursor: RequestCursor
    /// Nanoseconds of the monotonic clock: when the request was due, and when its first response came.
    var due: UInt64 = 0
    var first: UInt64 = 0
    var responses = 0
    var isBusy = false
    /// Whether the request under way only ends a sequence.
    var isFarewell = false

    init(index: Int, cursor: RequestCursor) {
        self.index = index
        self.cursor = cursor
    }
}

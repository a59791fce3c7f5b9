/// Doubly linked lists of waiting requests in one array: appending, taking the first and removing from the middle are
/// all O(1), and a handle finds its request without a search.
struct RequestSlab {
    /// The two ends of one list.
    struct List {
        var first = -1
        var last = -1
        /// Requests in the list.
        var count = 0

        var isEmpty: Bool { count == 0 }
    }

    private struct Node {
        var request: QueuedRequest?
        var lane: Lane
        var previous = -1
        var next = -1
        var generation: UInt32 = 0
    }

    /// Where a request waits.
    struct Lane: Equatable {
        var bucket: Int
        var index: Int
    }

    private var nodes: [Node] = []
    private var free: [Int] = []

    /// Waiting requests in all lists.
    private(set) var count = 0

    mutating func append(_ request: QueuedRequest, to list: inout List, lane: Lane) -> RequestHandle {
        let index: Int
        if let reused = free.popLast() {
            index = reused
            nodes[index].request = request
            nodes[index].lane = lane
        } else {
            index = nodes.count
            nodes.append(Node(request: request, lane: lane))
        }
        nodes[index].previous = list.last
        nodes[index].next = -1
        if list.last >= 0 { nodes[list.last].next = index } else { list.first = index }
        list.last = index
        list.count += 1
        count += 1
        return RequestHandle(index: index, generation: nodes[index].generation)
    }

    /// Takes a request out of its list; `list` must be the one it was appended to.
    mutating func remove(at index: Int, from list: inout List) -> QueuedRequest? {
        guard let request = nodes[index].request else { return nil }
        let (previous, next) = (nodes[index].previous, nodes[index].next)
        if previous >= 0 { nodes[previous].next = next } else { list.first = next }
        if next >= 0 { nodes[next].previous = previous } else { list.last = previous }
        nodes[index].request = nil
        nodes[index].generation &+= 1
        free.append(index)
        list.count -= 1
        count -= 1
        return request
    }

    /// Where the handle's request waits; `nil` if it does not any more.
    func lane(of handle: RequestHandle) -> Lane? {
        guard nodes.indices.contains(handle.index), nodes[handle.index].generation == handle.generation,
            nodes[handle.index].request != nil
        else { return nil }
        return nodes[handle.index].lane
    }

    /// The handle of a waiting request.
    func handle(at index: Int) -> RequestHandle {
        RequestHandle(index: index, generation: nodes[index].generation)
    }

    func request(at index: Int) -> QueuedRequest? { index >= 0 ? nodes[index].request : nil }

    // What decisions look at, without a copy of the request.

    func batchSize(at index: Int) -> Int { nodes[index].request?.batchSize ?? 0 }

    func sequence(at index: Int) -> UInt64 { nodes[index].request?.sequence ?? .max }

    func enqueueTime(at index: Int) -> UInt64 { nodes[index].request?.enqueueTime ?? .max }

    func next(after index: Int) -> Int { nodes[index].next }
}

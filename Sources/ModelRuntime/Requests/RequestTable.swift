/// The requests that wait, by the numbers under which their scheduler knows them.
///
/// Schedulers carry numbers rather than requests: they are values of a module of their own, and generic code costs ten
/// times as much where the compiler can't see, across modules, what it is used for.
struct RequestTable<Request: Sendable>: Sendable {
    private var requests: [Request?] = []
    private var free: [Int] = []

    /// Requests in the table.
    var count: Int { requests.count - free.count }

    /// - Returns: the request's number, until it is taken out.
    mutating func add(_ request: Request) -> Int {
        guard let id = free.popLast() else {
            requests.append(request)
            return requests.count - 1
        }
        requests[id] = request
        return id
    }

    /// The request with that number, which stays.
    func request(_ id: Int) -> Request? { requests.indices.contains(id) ? requests[id] : nil }

    /// Takes a request out. Every number that a scheduler has finds its request, once.
    mutating func remove(_ id: Int) -> Request? {
        guard let request = request(id) else {
            assertionFailure("the scheduler named request \(id), which is not there")
            return nil
        }
        requests[id] = nil
        free.append(id)
        return request
    }
}

import Scheduling

/// The rules once more, in the plainest way: what the machine does is compared with it.
struct SequenceModel {
    struct Place: Hashable, Comparable {
        var instance: Int
        var slot: Int

        static let last = Place(instance: .max, slot: .max)

        static func < (left: Place, right: Place) -> Bool {
            (left.slot, left.instance) < (right.slot, right.instance)
        }
    }

    /// One sequence from its start to its end.
    struct Life {
        var correlation: CorrelationID
        var waiting: [SequencedRequest] = []
        var running: Int?
        var isOpen = true
        var place: Place?
        var lastActivity: UInt64 = 0
        /// When its first waiting request could have run.
        var readySince: UInt64 = 0

        var isReady: Bool { place != nil && running == nil && !waiting.isEmpty }

        var backlogDeadline: UInt64? {
            place == nil ? waiting.filter { $0.timeout > 0 }.map { $0.enqueueTime + $0.timeout }.min() : nil
        }
    }

    let options: SequenceOptions
    /// By number, in the order in which they began.
    var lives: [Int: Life] = [:]
    var open: [CorrelationID: Int] = [:]
    var free: Set<Place> = []
    var backlog: [Int] = []
    private var nextLife = 0

    init(options: SequenceOptions) {
        self.options = options
        for instance in 0..<options.instanceCount {
            for slot in 0..<options.slotsPerInstance { free.insert(Place(instance: instance, slot: slot)) }
        }
    }

    var waitingCount: Int { lives.values.reduce(0) { $0 + $1.waiting.count } }

    func ready(on instance: Int) -> [Life] { lives.values.filter { $0.isReady && $0.place?.instance == instance } }

    func life(ofRequest id: Int) -> Int? { lives.first { $0.value.waiting.contains { $0.id == id } }?.key }

    mutating func enqueue(_ request: SequencedRequest, now: UInt64) {
        let life = open[request.correlation] ?? begin(request.correlation)
        let wasReady = lives[life]?.isReady ?? false
        lives[life]?.waiting.append(request)
        lives[life]?.lastActivity = now
        if !wasReady { lives[life]?.readySince = now }
        if request.end { close(life) }
    }

    private mutating func begin(_ correlation: CorrelationID) -> Int {
        let number = nextLife
        nextLife += 1
        lives[number] = Life(correlation: correlation)
        open[correlation] = number
        if let place = free.min() {
            free.remove(place)
            lives[number]?.place = place
        } else {
            backlog.append(number)
        }
        return number
    }

    mutating func close(_ life: Int) {
        guard let ended = lives[life], ended.isOpen else { return }
        lives[life]?.isOpen = false
        open[ended.correlation] = nil
    }

    /// Ends a sequence of which nothing more can come.
    mutating func settle(_ life: Int, now: UInt64) {
        guard let ended = lives[life], !ended.isOpen, ended.waiting.isEmpty, ended.running == nil else { return }
        lives[life] = nil
        guard let place = ended.place else {
            backlog.removeAll { $0 == life }
            return
        }
        if backlog.isEmpty {
            free.insert(place)
        } else {
            let next = backlog.removeFirst()
            lives[next]?.place = place
            lives[next]?.readySince = now
        }
    }

    /// When a sequence has to end next, by being idle or by waiting for a slot for too long.
    var nextExpiry: UInt64? {
        let idle = lives.values.filter { $0.waiting.isEmpty && $0.running == nil }
        return (idle.map { $0.lastActivity + options.idleTimeout } + lives.values.compactMap(\.backlogDeadline)).min()
    }
}

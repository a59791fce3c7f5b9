package import Tensors

/// Who may execute, where instances share resources that are not enough for all: as a value, with neither threads nor
/// a clock.
///
/// An instance asks for all that it needs at once and gets all or nothing, so no two can wait for each other. Among
/// those that wait, turns go by priority, an instance of priority 2 getting half as many as one of priority 1. One that
/// lacks something does not hold up those behind it, unless they have passed it ``patience`` times: from then on what
/// it needs is kept for it.
package struct ResourceArbiter: Sendable {
    package enum Scope: Hashable, Sendable {
        /// One stock for the whole server.
        case global
        case processor
        /// The GPU with that number.
        case gpu(Int)
    }

    package struct Key: Hashable, Sendable {
        package var name: String
        package var scope: Scope

        package init(name: String, scope: Scope) {
            self.name = name
            self.scope = scope
        }
    }

    package struct Claim: Hashable, Sendable {
        /// Units of each resource that an execution holds.
        package var needs: [Key: Int]
        /// At least 1.
        package var priority: Int

        package init(needs: [Key: Int], priority: Int) {
            self.needs = needs
            self.priority = max(1, priority)
        }
    }

    /// A registered instance.
    package struct Holder: Hashable, Sendable { fileprivate let number: Int }

    /// How many of a resource there are, as the server was told.
    package struct Stock: Hashable, Sendable {
        package var name: String
        package var count: Int
        /// The GPU that has them; `nil` for each device. It does not matter for a resource of the whole server.
        package var gpu: Int?

        package init(name: String, count: Int, gpu: Int? = nil) {
            self.name = name
            self.count = count
            self.gpu = gpu
        }
    }

    private enum Phase {
        case idle
        /// - Parameter passed: turns that others had meanwhile with resources that it waits for.
        case waiting(arrival: Int, passed: Int)
        case executing
    }

    private struct Record {
        var claim: Claim
        var phase = Phase.idle
        /// Its turns so far times its priority: who has least is next.
        var turns: Int
    }

    /// Turns that others may have before resources are kept for one that waits.
    package static let patience = 16

    private let stock: [Stock]
    private var records: [Int: Record] = [:]
    private var used: [Key: Int] = [:]
    private var nextNumber = 0
    private var arrivals = 0
    /// The turns of whoever was served last: one that has been idle comes back with as many, not with a credit.
    private var currentTurns = 0

    package init(stock: [Stock]) { self.stock = stock }

    /// Takes in an instance.
    ///
    /// - Throws: `invalidArgument` for one that needs more than there is.
    package mutating func register(_ claim: Claim) throws(HalcyonError) -> Holder {
        for (key, count) in claim.needs.sorted(by: { $0.key.name < $1.key.name }) {
            if let available = stocked(key), available < count {
                throw HalcyonError(
                    .invalidArgument,
                    "resource count for \"\(key.name)\" is limited to \(available) which will prevent scheduling of "
                        + "one or more model instances, the minimum required count is \(count)")
            }
        }
        let holder = Holder(number: nextNumber)
        nextNumber += 1
        records[holder.number] = Record(claim: claim, turns: currentTurns)
        return holder
    }

    /// Forgets an instance, which must not be executing. What it waited for goes to others.
    package mutating func unregister(_ holder: Holder) -> [Holder] {
        records[holder.number] = nil
        return grant()
    }

    /// An instance wants to execute.
    ///
    /// - Returns: those that may execute now. Is it not among them, it waits until a later answer names it.
    package mutating func request(_ holder: Holder) -> [Holder] {
        guard let record = records[holder.number] else { return [] }
        if case .idle = record.phase {
            records[holder.number]?.phase = .waiting(arrival: arrivals, passed: 0)
            records[holder.number]?.turns = max(record.turns, currentTurns)
            arrivals += 1
        }
        return grant()
    }

    /// An instance gives back what it held.
    ///
    /// - Parameter hasExecuted: whether it used its turn; one that found nothing to execute has not had one.
    /// - Returns: those that waited and may execute now.
    package mutating func release(_ holder: Holder, hasExecuted: Bool = true) -> [Holder] {
        takeBack(holder, hasExecuted: hasExecuted) ? grant() : []
    }

    /// An instance has executed and has more to execute: it gives back what it held and waits with the others, so that
    /// its priority counts against theirs. To give back first and ask later would be to hand every turn to somebody
    /// else.
    ///
    /// - Returns: those that may execute now; it may be among them.
    package mutating func renew(_ holder: Holder) -> [Holder] {
        _ = takeBack(holder, hasExecuted: true)
        return request(holder)
    }

    private mutating func takeBack(_ holder: Holder, hasExecuted: Bool) -> Bool {
        guard let record = records[holder.number], case .executing = record.phase else { return false }
        for (key, count) in record.claim.needs { used[key, default: 0] -= count }
        records[holder.number]?.phase = .idle
        if !hasExecuted { records[holder.number]?.turns -= record.claim.priority }
        return true
    }

    /// Units of a resource that are in use.
    package func inUse(_ key: Key) -> Int { used[key] ?? 0 }

    /// Units that there are: as told, or else as many as the instance with the greatest need takes.
    package func count(_ key: Key) -> Int {
        stocked(key) ?? records.values.reduce(0) { max($0, $1.claim.needs[key] ?? 0) }
    }

    private func stocked(_ key: Key) -> Int? {
        let named = stock.filter { $0.name == key.name }
        switch key.scope {
        case .global: return named.map(\.count).max()
        case .processor: return named.last(where: { $0.gpu == nil })?.count
        case .gpu(let number):
            return (named.last(where: { $0.gpu == number }) ?? named.last(where: { $0.gpu == nil }))?.count
        }
    }

    private mutating func grant() -> [Holder] {
        var granted: [Holder] = []
        var kept: Set<Key> = []
        var passed: [Int] = []
        for number in waiting() {
            guard let record = records[number], case .waiting(_, let count) = record.phase else { continue }
            let needs = record.claim.needs
            let isEnough = needs.allSatisfy { !kept.contains($0.key) && inUse($0.key) + $0.value <= self.count($0.key) }
            guard isEnough else {
                passed.append(number)
                if count >= Self.patience { kept.formUnion(needs.keys) }
                continue
            }
            for (key, count) in needs { used[key, default: 0] += count }
            currentTurns = max(currentTurns, record.turns)
            records[number]?.phase = .executing
            records[number]?.turns = record.turns + record.claim.priority
            granted.append(Holder(number: number))
            for other in passed { notePassed(other, by: needs) }
        }
        return granted
    }

    private mutating func notePassed(_ number: Int, by needs: [Key: Int]) {
        guard let record = records[number], case .waiting(let arrival, let passed) = record.phase,
            record.claim.needs.keys.contains(where: { needs[$0] != nil })
        else { return }
        records[number]?.phase = .waiting(arrival: arrival, passed: passed + 1)
    }

    /// Those that wait: first whoever was passed too often, then by turns, then by arrival.
    private func waiting() -> [Int] {
        records.compactMap { number, record -> (rank: (Int, Int, Int), number: Int)? in
            guard case .waiting(let arrival, let passed) = record.phase else { return nil }
            return ((passed >= Self.patience ? 0 : 1, record.turns, arrival), number)
        }.sorted { $0.rank < $1.rank }.map(\.number)
    }
}

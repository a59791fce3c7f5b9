internal import Tensors

/// Which executions run, and which of them take longer than they may: as a value. The work is what runs, a batch of
/// requests. Times are the clock's nanoseconds.
struct ExecutionWatch<Work: Sendable> {
    /// One execution.
    struct Ticket: Hashable { fileprivate let number: UInt64 }

    struct Overdue: Sendable {
        var instance: Int
        var work: Work
        /// What the instance has done, as words that follow its name.
        var reason: String
    }

    private struct Execution {
        var ticket: Ticket
        var work: Work
        var deadline: UInt64
        /// Why it ends sooner than it may.
        var reason: String?
    }

    private let limit: UInt64
    private var executions: [Int: Execution] = [:]
    private var nextNumber: UInt64 = 0

    /// - Parameter limit: how long an execution may take; ``Nanoseconds/never`` for as long as it takes.
    init(limit: UInt64) { self.limit = limit }

    mutating func begin(_ work: Work, on instance: Int, now: UInt64) -> Ticket {
        let ticket = Ticket(number: nextNumber)
        nextNumber += 1
        executions[instance] = Execution(ticket: ticket, work: work, deadline: now.adding(limit))
        return ticket
    }

    /// - Returns: whether the execution was still waited for: if not, its requests have been answered by somebody else.
    mutating func end(_ ticket: Ticket, on instance: Int) -> Bool {
        guard executions[instance]?.ticket == ticket else { return false }
        executions[instance] = nil
        return true
    }

    /// The execution waits for others, and not they for it.
    mutating func pause(_ ticket: Ticket, on instance: Int) {
        if let execution = executions[instance], execution.ticket == ticket, execution.reason == nil {
            executions[instance]?.deadline = .never
        }
    }

    /// The execution goes on, and has all of its time again.
    mutating func resume(_ ticket: Ticket, on instance: Int, now: UInt64) {
        guard let execution = executions[instance], execution.ticket == ticket, execution.reason == nil else { return }
        executions[instance]?.deadline = now.adding(limit)
    }

    /// What an instance executes, if anything, may not take much longer.
    ///
    /// - Parameter reason: as in ``Overdue``.
    mutating func shorten(_ instance: Int, until deadline: UInt64, _ reason: String) {
        guard let execution = executions[instance] else { return }
        executions[instance]?.deadline = min(execution.deadline, deadline)
        executions[instance]?.reason = reason
    }

    /// Stops waiting for the executions whose time is over.
    mutating func giveUp(now: UInt64) -> [Overdue] {
        let overdue = executions.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
        for (instance, _) in overdue { executions[instance] = nil }
        return overdue.map { instance, execution in
            Overdue(
                instance: instance, work: execution.work,
                reason: execution.reason ?? "has not answered for \(ExecutionLimit.text(limit))")
        }
    }

    /// When ``giveUp(now:)`` may have something to do next; `nil` where nothing executes, or nothing that is not
    /// paused.
    var nextDeadline: UInt64? {
        // Asked at every execution: a loop, as a key path of a generic type is looked up in the runtime each time.
        var next = UInt64.never
        for execution in executions.values { next = min(next, execution.deadline) }
        return next == .never ? nil : next
    }
}

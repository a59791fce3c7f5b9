/// Whose turn it is to load or unload each model: first come, first served. A value.
struct TurnQueue {
    struct Ticket: Hashable {
        let name: String
        fileprivate let number: UInt64
    }

    private var waiting: [String: [UInt64]] = [:]
    private var nextNumber: UInt64 = 0

    /// Nobody has or wants a turn.
    var isEmpty: Bool { waiting.isEmpty }

    /// Joins the end of a model's queue.
    mutating func join(_ name: String) -> Ticket {
        let ticket = Ticket(name: name, number: nextNumber)
        nextNumber += 1
        waiting[name, default: []].append(ticket.number)
        return ticket
    }

    /// Whether it is that one's turn.
    func isFirst(_ ticket: Ticket) -> Bool { waiting[ticket.name]?.first == ticket.number }

    /// Ends a turn, or gives up the wait for it.
    mutating func leave(_ ticket: Ticket) {
        waiting[ticket.name]?.removeAll { $0 == ticket.number }
        if waiting[ticket.name]?.isEmpty == true { waiting[ticket.name] = nil }
    }
}

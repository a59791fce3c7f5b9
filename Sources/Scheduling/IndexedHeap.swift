/// A heap of numbered things: each can be moved or taken out wherever it is, in as many steps as the heap is deep.
struct IndexedHeap<Key: Comparable & Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var index: Int
    }

    private var entries: [Entry] = []
    /// By number; -1 for what is not in here.
    private var positions: [Int] = []
    /// Entries that were looked at so far.
    private(set) var looks: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }

    /// What has the least key.
    var first: (key: Key, index: Int)? { entries.first.map { ($0.key, $0.index) } }

    /// Puts a number in, or gives it another key.
    mutating func set(_ index: Int, _ key: Key) {
        while positions.count <= index { positions.append(-1) }
        let position = positions[index]
        if position < 0 {
            positions[index] = entries.count
            entries.append(Entry(key: key, index: index))
            rise(entries.count - 1)
        } else {
            entries[position].key = key
            settle(position)
        }
    }

    /// Takes a number out, if it is in here.
    mutating func remove(_ index: Int) {
        guard positions.indices.contains(index), positions[index] >= 0 else { return }
        let position = positions[index]
        positions[index] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        entries[position] = last
        positions[last.index] = position
        settle(position)
    }

    private mutating func settle(_ position: Int) {
        rise(position)
        sink(position)
    }

    private mutating func rise(_ start: Int) {
        var position = start
        while position > 0 {
            looks &+= 1
            let parent = (position - 1) / 2
            guard entries[position].key < entries[parent].key else { return }
            swap(position, parent)
            position = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var position = start
        while true {
            var least = position
            for child in [2 * position + 1, 2 * position + 2] where child < entries.count {
                looks &+= 1
                if entries[child].key < entries[least].key { least = child }
            }
            guard least != position else { return }
            swap(position, least)
            position = least
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        entries.swapAt(left, right)
        positions[entries[left].index] = left
        positions[entries[right].index] = right
    }
}

import Testing

@testable import Scheduling

@Suite("Heap of numbered things")
struct IndexedHeapTests {
    @Test("Whatever is put in, moved and taken out, the first is the least", arguments: (0..<20).map { UInt64($0) })
    func order(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var heap = IndexedHeap<Int>()
        var known: [Int: Int] = [:]
        for _ in 0..<500 {
            let index = Int.random(in: 0..<30, using: &generator)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                heap.remove(index)
                known[index] = nil
            } else {
                let key = Int.random(in: 0..<50, using: &generator)
                heap.set(index, key)
                known[index] = key
            }
            #expect(heap.first?.key == known.values.min() && heap.isEmpty == known.isEmpty)
            if let first = heap.first { #expect(known[first.index] == first.key) }
        }
        var keys: [Int] = []
        while let first = heap.first {
            keys.append(first.key)
            heap.remove(first.index)
        }
        #expect(keys == known.values.sorted())
    }

    @Test("A change costs as many looks as the heap is deep")
    func depth() {
        var heap = IndexedHeap<Int>()
        for index in 0..<1024 { heap.set(index, (index * 7919) % 1024) }
        let before = heap.looks
        for index in 0..<1024 { heap.set(index, (index * 6007) % 1024) }
        #expect(heap.looks - before <= 1024 * 25)
    }
}

import Scheduling
import Tensors
import Testing

@Suite struct ResourceArbiterTests {
    typealias Key = ResourceArbiter.Key

    static let camera = Key(name: "camera", scope: .processor)
    static let bus = Key(name: "bus", scope: .global)

    static func claim(_ needs: [Key: Int], priority: Int = 1) -> ResourceArbiter.Claim {
        ResourceArbiter.Claim(needs: needs, priority: priority)
    }

    @Test("Without a stock there is as much as the greatest need, and a release lets the next one on")
    func implicitStock() throws {
        var arbiter = ResourceArbiter(stock: [])
        let two = try arbiter.register(Self.claim([Self.camera: 2]))
        let one = try arbiter.register(Self.claim([Self.camera: 1]))
        let other = try arbiter.register(Self.claim([Self.camera: 1]))
        #expect(arbiter.count(Self.camera) == 2)
        #expect(arbiter.request(one) == [one])
        #expect(arbiter.request(two).isEmpty)
        #expect(arbiter.request(other) == [other])
        #expect(arbiter.inUse(Self.camera) == 2)
        #expect(arbiter.release(one).isEmpty)
        #expect(arbiter.release(other) == [two])
    }

    @Test("One that needs more than there is can't be taken in; global counts ignore the device")
    func explicitStock() throws {
        var arbiter = ResourceArbiter(stock: [.init(name: "camera", count: 1), .init(name: "bus", count: 3, gpu: 0)])
        #expect {
            _ = try arbiter.register(Self.claim([Self.camera: 2]))
        } throws: {
            ($0 as? HalcyonError)?.message
                == "resource count for \"camera\" is limited to 1 which will prevent scheduling of one or more model "
                + "instances, the minimum required count is 2"
        }
        _ = try arbiter.register(Self.claim([Self.bus: 3]))
        #expect(arbiter.count(Self.bus) == 3)
        #expect(arbiter.count(Key(name: "camera", scope: .gpu(4))) == 1)
        #expect(arbiter.count(Key(name: "bus", scope: .gpu(1))) == 0)
    }

    @Test("One that lacks something does not hold up those that need other things")
    func noHeadOfLineBlocking() throws {
        var arbiter = ResourceArbiter(stock: [])
        let first = try arbiter.register(Self.claim([Self.camera: 1]))
        let second = try arbiter.register(Self.claim([Self.camera: 1]))
        let third = try arbiter.register(Self.claim([Self.bus: 1]))
        #expect(arbiter.request(first) == [first])
        #expect(arbiter.request(second).isEmpty)
        #expect(arbiter.request(third) == [third])
    }

    @Test("Priority 2 gets half as many turns as priority 1")
    func turnsByPriority() throws {
        var arbiter = ResourceArbiter(stock: [])
        let often = try (0..<2).map { _ in try arbiter.register(Self.claim([Self.camera: 1], priority: 1)) }
        let seldom = try (0..<2).map { _ in try arbiter.register(Self.claim([Self.camera: 1], priority: 2)) }
        var turns: [ResourceArbiter.Holder: Int] = [:]
        var holder = try #require(arbiter.request(often[0]).first)
        for other in [often[1]] + seldom { #expect(arbiter.request(other).isEmpty) }
        for _ in 0..<600 {
            turns[holder, default: 0] += 1
            let next = try #require(arbiter.release(holder).first)
            #expect(arbiter.request(holder).isEmpty)
            holder = next
        }
        #expect(often.allSatisfy { turns[$0] == 200 })
        #expect(seldom.allSatisfy { turns[$0] == 100 })
    }

    @Test("Two that always have more to execute take turns by their priorities too")
    func turnsOfTwo() throws {
        var arbiter = ResourceArbiter(stock: [])
        let first = try arbiter.register(Self.claim([Self.camera: 1], priority: 1))
        let second = try arbiter.register(Self.claim([Self.camera: 1], priority: 2))
        var turns: [ResourceArbiter.Holder: Int] = [:]
        var holder = try #require(arbiter.request(first).first)
        #expect(arbiter.request(second).isEmpty)
        for _ in 0..<600 {
            turns[holder, default: 0] += 1
            holder = try #require(arbiter.renew(holder).first)
        }
        #expect(turns[first] == 400 && turns[second] == 200)
    }

    @Test("A turn in which nothing was executed is none")
    func unusedTurns() throws {
        var arbiter = ResourceArbiter(stock: [])
        let first = try arbiter.register(Self.claim([Self.camera: 1]))
        let second = try arbiter.register(Self.claim([Self.camera: 1]))
        for _ in 0..<5 {
            #expect(arbiter.request(first) == [first])
            #expect(arbiter.release(first, hasExecuted: false).isEmpty)
        }
        #expect(arbiter.request(second) == [second])
        #expect(arbiter.request(first).isEmpty)
        #expect(arbiter.renew(second) == [first])
    }

    @Test("A great need is passed at most so often: then what it needs is kept for it")
    func noStarvation() throws {
        var arbiter = ResourceArbiter(stock: [])
        let great = try arbiter.register(Self.claim([Self.camera: 2]))
        let small = try (0..<2).map { _ in try arbiter.register(Self.claim([Self.camera: 1], priority: 1)) }
        #expect(arbiter.request(small[0]) == [small[0]])
        #expect(arbiter.request(great).isEmpty)
        var passed = 0
        var index = 1
        // The two take turns so that one unit is always in use, until one has to wait.
        while arbiter.request(small[index]) == [small[index]] {
            passed += 1
            index = 1 - index
            #expect(arbiter.release(small[index]).isEmpty)
        }
        #expect(passed == ResourceArbiter.patience)
        #expect(arbiter.release(small[1 - index]) == [great])
    }

    @Test("Random requests and releases: never more in use than there is, and nobody is forgotten")
    func randomSchedules() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var arbiter = ResourceArbiter(stock: [.init(name: "camera", count: 3)])
            let holders: [ResourceArbiter.Holder] = try (0..<6).map { _ in
                var needs = [Self.camera: Int.random(in: 1...3, using: &generator)]
                if Bool.random(using: &generator) { needs[Self.bus] = Int.random(in: 1...2, using: &generator) }
                return try arbiter.register(Self.claim(needs, priority: Int.random(in: 1...3, using: &generator)))
            }
            var executing: Set<ResourceArbiter.Holder> = []
            var waiting: Set<ResourceArbiter.Holder> = []
            for _ in 0..<100 {
                let holder = holders[Int.random(in: holders.indices, using: &generator)]
                let granted: [ResourceArbiter.Holder]
                if executing.contains(holder) {
                    executing.remove(holder)
                    granted = arbiter.release(holder)
                } else {
                    waiting.insert(holder)
                    granted = arbiter.request(holder)
                }
                executing.formUnion(granted)
                waiting.subtract(granted)
                #expect(arbiter.inUse(Self.camera) <= 3)
                #expect(arbiter.inUse(Self.bus) <= arbiter.count(Self.bus))
            }
            while let holder = executing.popFirst() {
                let granted = arbiter.release(holder)
                executing.formUnion(granted)
                waiting.subtract(granted)
            }
            #expect(waiting.isEmpty)
            #expect(arbiter.inUse(Self.camera) == 0)
        }
    }
}

import ConfigurationSearch
import Testing

/// Backends with known costs: how many inferences a second a setting gives.
enum ScriptedCost: String, CaseIterable {
    /// Each instance adds the same, and a batch costs as much as its items.
    case linear
    /// Processors are used up by some instances; more of them get in each other's way. Batches save a little.
    case saturating
    /// A batch takes longer than its items one by one.
    case slowerInBatches
    /// As saturating, but instances beyond some number do not fit.
    case memoryLimit
    /// Only large batches are cheap, and they need time to come together.
    case accelerator

    func throughput(_ setting: Setting, processors: Int, memory: Int) -> Double {
        let setting = setting.canonical
        let instances = Double(setting.instances)
        let share = min(instances, Double(processors)) / (1 + 0.03 * max(0, instances - Double(processors)))
        // Threads of an execution beyond its share are in the way.
        let threads = Double(setting.threads ?? max(1, processors / setting.instances))
        let crowding = max(1, threads * instances / Double(processors))
        let speed =
            threads < Double(processors) / instances
            ? 0.6 + 0.4 * threads * instances / Double(processors) : 1 / crowding.squareRoot()
        let precision = setting.precision == "bf16" ? 1.9 : setting.precision == "f32" ? 1 : 1.85
        let streams = setting.streams.map { $0 == setting.instances ? 1.01 : 0.8 } ?? 1
        // Sixteen requests are under way: a batch has what is left for an instance, or more where it waits.
        let waiting = 16 / instances
        let fill = setting.batches ? min(8, waiting * (setting.delay >= 500 ? 1 : 0.7)) : 1
        let wait = 1 + Double(setting.delay) / 20_000
        let chosen = setting.preferredSizes.first.map { Double($0) > waiting ? 0.9 : 1.02 } ?? 1
        let base = 50 * speed * precision * streams
        switch self {
        case .linear: return 20 * instances * precision * chosen / wait
        case .saturating: return base * share * (1 + 0.02 * (fill - 1)) * chosen / wait
        case .slowerInBatches: return base * share / (1 + 0.15 * (fill - 1)) / wait
        case .memoryLimit:
            return setting.instances > memory ? 0 : base * share * (1 + 0.05 * (fill - 1)) * chosen / wait
        case .accelerator: return 30 * (1 + 0.1 * min(instances, 2)) * fill * precision * chosen / wait
        }
    }
}

@Suite("The search for a configuration")
struct ConfigurationSearchTests {
    private func run(_ cost: (Setting) -> Double, _ space: SearchSpace, from present: Setting) -> ConfigurationSearch {
        var search = ConfigurationSearch(space, present: present)
        while let setting = search.next() {
            #expect(search.score(setting) == nil, "\(setting) is measured twice")
            search.record(setting, score: cost(setting))
            if search.count > space.size { break }
        }
        return search
    }

    @Test(
        "It finds at least 0.97 of the best that trying all finds, with a fraction of the trials",
        arguments: ScriptedCost.allCases)
    func nearTheBest(cost: ScriptedCost) {
        for processors in [1, 2, 4] {
            for memory in cost == .memoryLimit ? [1, 3, 5] : [5] {
                for start in [(1, false), (3, true), (2, false), (8, true)] {
                    var present = Setting()
                    (present.instances, present.batches) = start
                    let space = SearchSpace(
                        around: present, maxBatchSize: 8, processors: processors, engine: "openvino",
                        precisions: ["f32", "bf16"])
                    let best = space.all.map { cost.throughput($0, processors: processors, memory: memory) }.max() ?? 0
                    let search = run(
                        { cost.throughput($0, processors: processors, memory: memory) }, space, from: present)
                    let found = search.score(search.best) ?? 0
                    #expect(found >= 0.97 * best, "\(cost), \(processors) processors, from \(start): \(search.best)")
                    #expect(search.count < space.size / 10, "\(search.count) of \(space.size)")
                }
            }
        }
    }

    @Test("Noise of 3 % does not lead it astray", arguments: ScriptedCost.allCases)
    func noise(cost: ScriptedCost) {
        var state: UInt64 = 42
        func random() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) * 0x1p-53
        }
        var present = Setting()
        present.instances = 2
        let space = SearchSpace(
            around: present, maxBatchSize: 8, processors: 4, engine: "openvino", precisions: ["f32", "bf16"])
        let exact = { cost.throughput($0, processors: 4, memory: 3) }
        let best = space.all.map(exact).max() ?? 0
        let search = run({ exact($0) * (1 + 0.03 * (random() - 0.5)) }, space, from: present)
        #expect(exact(search.best) >= 0.93 * best)
    }

    @Test("Without batches nothing is tried that only batches have, and what is kept stays")
    func space() {
        var present = Setting()
        present.delay = 700
        let space = SearchSpace(
            around: present, maxBatchSize: 8, processors: 2, engine: "identity", precisions: [],
            kept: [.instances, .batching])
        #expect(space.all.map(\.canonical) == [Setting()])
        #expect(
            SearchSpace(around: present, maxBatchSize: 1, processors: 2, engine: "onnxruntime", precisions: []).size
                == 4 * 3)
        let full = SearchSpace(
            around: present, maxBatchSize: 8, processors: 2, engine: "openvino", precisions: ["f32", "bf16"])
        #expect(full.delays.contains(700) && full.all.count == full.size)
        #expect(Set(full.all.map(\.canonical)).count == full.size)
    }

    @Test("A space of one setting is measured once")
    func single() {
        let search = run({ _ in 1 }, SearchSpace(Setting()), from: Setting())
        #expect(search.count == 1 && search.best == Setting())
    }

    @Test("A present configuration that can't be is left")
    func impossibleStart() {
        var present = Setting()
        present.instances = 8
        let space = SearchSpace(around: present, maxBatchSize: 0, processors: 4, engine: "", precisions: [])
        let search = run({ $0.instances > 2 ? 0 : Double($0.instances) }, space, from: present)
        #expect(search.best.instances == 2)
    }

    @Test("How sure a comparison is")
    func comparison() {
        #expect(Comparison([1.2]).interval == nil && !Comparison([1.2]).isBetter)
        let sure = Comparison([1.40, 1.42, 1.41, 1.43])
        #expect(sure.isBetter && abs(sure.mean - 1.415) < 1e-9)
        #expect(abs((sure.interval?.upperBound ?? 0) - 1.4355) < 1e-3)
        let unsure = Comparison([1.3, 0.8, 1.2, 0.9])
        #expect(!unsure.isBetter && !unsure.isWorse)
        #expect(Comparison([0.5, 0.51, 0.49]).isWorse)
    }

    @Test("What keeps the latency is better than all that breaks it")
    func objective() {
        let objective = Objective(.throughput, limit: 50e6)
        let slow = Objective.Figures(throughput: 100, meanLatency: 40e6, p99: 60e6)
        let slower = Objective.Figures(throughput: 100, meanLatency: 40e6, p99: 90e6)
        let kept = Objective.Figures(throughput: 10, meanLatency: 20e6, p99: 50e6)
        #expect(objective.value(kept) > objective.value(slow))
        #expect(objective.value(slow) > objective.value(slower))
        #expect(objective.keeps(kept) && !objective.keeps(slow))
        #expect(Objective(.latency).value(kept) > Objective(.latency).value(slow))
    }
}

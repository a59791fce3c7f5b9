import Testing

@testable import people_detection

/// The four cases of the demo, with figures that are easy to reckon with.
enum Cases {
    static func figures(
        _ repository: String, instances: Int, batches: [CaseFigures.Batch], usesBatches: Bool, total: Double
    ) -> CaseFigures {
        let requests = batches.reduce(0) { $0 + $1.size * $1.executions }
        func mean(_ path: KeyPath<CaseFigures.Batch, Double>) -> Double {
            batches.reduce(0) { $0 + Double($1.size * $1.executions) * $1[keyPath: path] } / Double(requests)
        }
        return CaseFigures(
            repository: repository,
            work: .init(model: "detector", images: ["bus.jpg"], threads: requests, repetitions: 1),
            setup: .init(instances: instances, usesBatches: usesBatches, maxBatchSize: usesBatches ? 8 : 1),
            file: "model.pb", isInt8: false, total: total, executions: batches.reduce(0) { $0 + $1.executions },
            largestBatch: batches.last?.size ?? 0, queue: mean(\.queue), computeInput: mean(\.computeInput),
            computeInfer: mean(\.computeInfer), computeOutput: mean(\.computeOutput), batches: batches,
            reasons: ["instance_free 2"])
    }

    static func batch(_ size: Int, _ executions: Int, queue: Double, infer: Double) -> CaseFigures.Batch {
        .init(size: size, executions: executions, queue: queue, computeInput: 1, computeInfer: infer, computeOutput: 0)
    }

    static let one = figures(
        "one", instances: 3, batches: [batch(1, 6, queue: 10, infer: 20)], usesBatches: false, total: 60)
    static let two = figures(
        "two", instances: 1, batches: [batch(1, 1, queue: 0, infer: 10), batch(5, 1, queue: 10, infer: 40)],
        usesBatches: true, total: 50)
    static let three = figures(
        "three", instances: 3, batches: [batch(1, 3, queue: 0, infer: 20), batch(3, 1, queue: 20, infer: 30)],
        usesBatches: true, total: 60)
    static var four: CaseFigures {
        var figures = three
        figures.repository = "four"
        figures.file = "model.xml"
        figures.isInt8 = true
        figures.computeInfer = three.computeInfer / 2
        figures.total = 40
        return figures
    }
}

@Suite struct CaseSentenceTests {
    @Test func `Instances: how much ran at the same time`() {
        #expect(
            CaseSentence(Cases.one, after: []).text
                == "Instances: with 3 of them 120 ms of work in the engine were done in 60 ms, 2.0 executions at a "
                + "time on average.")
    }

    @Test func `Batches: what a picture costs in one and alone`() {
        #expect(
            CaseSentence(Cases.two, after: [Cases.one]).text
                == "Batches: while the one instance was busy, requests waited and then ran together: 6 requests took 2 "
                + "executions, the largest of 5, in which a picture took 8.0 ms in place of 10 ms alone (1.25 times as "
                + "fast); in all 50 ms, after 60 ms in one.")
    }

    @Test func `A batch that is dearer than its pictures alone is said to be`() {
        let slow = Cases.figures(
            "slow", instances: 1,
            batches: [Cases.batch(1, 1, queue: 0, infer: 10), Cases.batch(2, 1, queue: 0, infer: 30)],
            usesBatches: true, total: 50)
        #expect(CaseSentence(slow, after: []).text.contains("15 ms in place of 10 ms alone (1.50 times as long)"))
    }

    @Test func `Both`() {
        #expect(
            CaseSentence(Cases.three, after: [Cases.one, Cases.two]).text
                == "Both: 3 instances, each of which takes what waits as one batch: 6 requests took 4 executions, the "
                + "largest of 3; 90 ms of work in the engine were done in 60 ms, 1.5 executions at a time on "
                + "average; in all 60 ms, after 50 ms in two.")
    }

    @Test func `INT8 is compared with the case of the same configuration`() {
        #expect(
            CaseSentence(Cases.four, after: [Cases.one, Cases.two, Cases.three]).text
                == "INT8: as three, with weights of one byte, which take less time to multiply: a request is in the "
                + "engine for 13 ms in place of 25 ms (2.00 times as fast); in all 40 ms, after 60 ms in three.")
    }

    @Test func `A case without anything special`() {
        let plain = Cases.figures(
            "plain", instances: 1, batches: [Cases.batch(1, 2, queue: 5, infer: 10)], usesBatches: false, total: 20)
        #expect(
            CaseSentence(plain, after: []).text
                == "One at a time: one instance and no batches, so 2 requests took 2 executions, one after the "
                + "other, and each waited 5.0 ms on average.")
    }
}

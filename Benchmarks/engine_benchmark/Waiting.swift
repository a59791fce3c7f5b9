internal import ArgumentParser
internal import Foundation
internal import Halcyon
internal import JSONText
internal import ModelRuntime
internal import Synchronization
internal import Threads

/// What a request costs beside others that wait: processor time of a request to a model that does nothing, with as many
/// others before it, and in as many shapes.
///
/// The model's only instance is held until as many wait; then all of them are executed.
struct Waiting: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what a request costs beside others that wait.")

    @Option(help: "Rounds; in each, every row takes its turn.")
    var rounds = 5

    @Option(help: "Requests of a turn.")
    var requests = 50_000

    func validate() throws {
        guard rounds > 0, requests >= 10_000 else {
            throw ValidationError("expected at least one round, and 10000 requests, which wait at a time")
        }
    }

    private struct Row {
        var model: String
        /// Requests that wait when the first of them is executed.
        var waiting: Int
        var shapes = 1
    }

    /// Dimensions of an input, and its elements as a power of two: 1,716 shapes, all of them of 64 elements.
    private static let rank = 8
    private static let exponent = 6

    func run() async throws {
        let repository = ScratchRepository()
        defer { repository.remove() }
        let dimensions = [String](repeating: "-1", count: Self.rank).joined(separator: ", ")
        try repository.add("alone", dimensions: dimensions, "")
        try repository.add("batched", dimensions: dimensions, "dynamic_batching { }")
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        try await server.waitUntilReady()
        let shapes = Self.shapes(rank: Self.rank, exponent: Self.exponent)
        let counts = [10, 100, 1000, 10_000]
        let rows =
            counts.map { Row(model: "alone", waiting: $0) } + counts.map { Row(model: "batched", waiting: $0) }
            + [10, 100, 1000].map { Row(model: "batched", waiting: 10_000, shapes: $0) }
        var times = [[Double]](repeating: [], count: rows.count)
        // The first round warms up.
        for round in 0...rounds {
            for (index, row) in rows.enumerated() {
                let time = try nanoseconds(row, shapes.prefix(row.shapes), server)
                if round > 0 { times[index].append(time) }
            }
        }
        let result = zip(rows, times).map { row, times -> JSONValue in
            [
                "batches": .bool(row.model == "batched"), "waiting": .integer(Int64(row.waiting)),
                "shapes": .integer(Int64(row.shapes)), "cpu_ns": .number(times.sorted()[times.count / 2]),
            ]
        }
        print(JSONValue.array(result).compact)
        await server.shutdown()
    }

    /// All shapes of that many dimensions whose product is that power of two.
    private static func shapes(rank: Int, exponent: Int) -> [[Int]] {
        guard rank > 1 else { return [[1 << exponent]] }
        return (0...exponent).flatMap { first in
            shapes(rank: rank - 1, exponent: exponent - first).map { [1 << first] + $0 }
        }
    }

    /// Processor time of a request.
    private func nanoseconds(_ row: Row, _ shapes: some Sequence<[Int]>, _ server: InferenceServer) throws -> Double {
        let values = [Float](repeating: 1, count: 1 << Self.exponent)
        let requests = try shapes.map { shape in
            InferenceRequest(
                modelName: row.model, inputs: [try Tensor(name: "IN", shape: TensorShape([1] + shape), values)])
        }
        let left = Left()
        let (full, empty) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let before = processorNanoseconds()
        for _ in 0..<(self.requests / row.waiting) {
            // Its answer keeps the instance until all wait.
            _ = server.submit(requests[0], from: .foreign) { result in
                left.note(result)
                full.wait()
            }
            left.count.store(row.waiting, ordering: .releasing)
            for number in 0..<row.waiting {
                // By a thread that runs nothing itself.
                _ = server.submit(requests[number % requests.count], from: .foreign) { result in
                    left.note(result)
                    if left.count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { empty.signal() }
                }
            }
            full.signal()
            empty.wait()
        }
        let time = processorNanoseconds() - before
        if let failure = left.failure { throw failure }
        return Double(time) / Double(self.requests / row.waiting * (row.waiting + 1))
    }
}

/// How many requests have not been answered, and why one has not been as it should.
private final class Left: Sendable {
    let count = Atomic<Int>(0)
    private let failed = Locked<HalcyonError?>(nil)

    var failure: HalcyonError? { failed.withLock { $0 } }

    func note(_ result: Result<InferenceResponse, HalcyonError>) {
        if case .failure(let error) = result { failed.withLock { $0 = error } }
    }
}

internal import ArgumentParser
internal import Foundation
internal import Halcyon
internal import JSONText
internal import Synchronization

/// What a request costs beside others that wait: processor time of a request to a model that does nothing, with as many
/// others before it, and in as many shapes.
struct Waiting: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what a request costs beside others that wait.")

    @Option(help: "Rounds; in each, every row takes its turn.")
    var rounds = 5

    @Option(help: "Requests of a turn.")
    var requests = 50_000

    private struct Row {
        var model: String
        /// Requests that are in the server at a time; of these one or a batch is executed, and the others wait.
        var waiting: Int
        var shapes = 1
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("halcyon-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, lines) in [("alone", ""), ("batched", "dynamic_batching { }")] {
            let model = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: model.appendingPathComponent("1"), withIntermediateDirectories: true)
            let text = """
                backend: "identity"
                max_batch_size: 8
                input [ { name: "IN" data_type: TYPE_FP32 dims: [ -1 ] } ]
                output [ { name: "OUT" data_type: TYPE_FP32 dims: [ -1 ] } ]
                \(lines)
                """
            try Data(text.utf8).write(to: model.appendingPathComponent("config.pbtxt"))
        }
        let server = try InferenceServer(ServerOptions(repositoryPaths: [folder.path]))
        try await server.waitUntilReady()
        let counts = [1, 10, 100, 1000, 10_000]
        let rows =
            counts.map { Row(model: "alone", waiting: $0) } + counts.dropFirst().map { Row(model: "batched", waiting: $0) }
            + [10, 100, 1000].map { Row(model: "batched", waiting: 10_000, shapes: $0) }
        var times = [[Double]](repeating: [], count: rows.count)
        // The first round warms up.
        for round in 0...rounds {
            for (index, row) in rows.enumerated() {
                let time = try nanoseconds(row, server)
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

    /// Processor time of a request.
    private func nanoseconds(_ row: Row, _ server: InferenceServer) throws -> Double {
        let requests = try (0..<row.shapes).map { shape in
            InferenceRequest(
                modelName: row.model,
                inputs: [
                    try Tensor(name: "IN", shape: [1, 16 + shape], [Float](repeating: 1, count: 16 + shape))
                ])
        }
        let window = Window(row.waiting)
        let before = processorNanoseconds()
        for number in 0..<self.requests {
            window.enter()
            server.submit(requests[number % requests.count]) { _ in window.leave() }
        }
        window.drain()
        return Double(processorNanoseconds() - before) / Double(self.requests)
    }
}

/// Lets a thread hand in requests as long as fewer than so many are in the server. It goes on when a tenth of them has
/// been answered, so that it is not woken for every one.
private final class Window: Sendable {
    private let size: Int
    private let inside = Atomic<Int>(0)
    /// At how many the thread is woken.
    private let low: Atomic<Int>
    private let wake = DispatchSemaphore(value: 0)

    init(_ size: Int) {
        self.size = size
        low = Atomic(size - max(1, size / 10))
    }

    func enter() {
        while inside.load(ordering: .acquiring) >= size { wake.wait() }
        inside.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    func leave() {
        let left = inside.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
        if left == low.load(ordering: .acquiring) { wake.signal() }
    }

    /// Waits until none is in the server.
    func drain() {
        low.store(0, ordering: .releasing)
        while inside.load(ordering: .acquiring) > 0 { wake.wait() }
    }
}

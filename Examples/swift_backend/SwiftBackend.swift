import Halcyon

/// A model written in Swift: it answers each item with the sum of its elements.
///
/// The model's folder holds a `config.pbtxt` with `backend: "sum"` and an empty version folder `1`.
struct SumBackend: Backend {
    let name = "sum"
    let modelFilenames: [String] = []

    func openModel(_ source: ModelSource) -> any BackendModel { SumModel() }
}

final class SumModel: BackendModel {
    /// Adding a few numbers is shorter than waking a thread, so whoever asks may run it.
    let mayRunOnCallerThread = true

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { SumInstance() }
}

final class SumInstance: ModelInstance {
    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let numbers = try batch.input("NUMBERS").elements(as: Float.self)
        let width = numbers.count / batch.batchSize
        let sums = (0..<batch.batchSize).map { row in
            numbers[row * width..<(row + 1) * width].reduce(0, +)
        }
        return [try Tensor(name: "SUM", shape: [batch.batchSize, 1], sums)]
    }
}

@main
struct SwiftBackend {
    static func main() async throws {
        var options = ServerOptions(repositoryPaths: ["Examples/swift_backend/model_repository"])
        options.backends = [SumBackend()]
        let server = try InferenceServer(options)
        try await server.waitUntilReady()

        // Eight requests at once; the scheduler makes batches of what waits.
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 1...8 {
                group.addTask {
                    let values = [Float](repeating: Float(number), count: 4)
                    let request = InferenceRequest(
                        modelName: "sum", inputs: [try Tensor(name: "NUMBERS", shape: [1, 4], values)])
                    let response = try await server.infer(request)
                    return "4 × \(number) = \(try response.output("SUM").elements(as: Float.self)[0])"
                }
            }
            for try await line in group { print(line) }
        }
        print(try server.statistics(model: "sum").prettyJSON)
        await server.shutdown()
    }
}

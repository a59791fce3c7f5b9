import HalcyonTestKit
import IdentityBackend
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@Suite("Identity backend")
struct IdentityBackendTests {
    private static func configuration(_ names: [(String, String)]) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "echo")
        configuration.maxBatchSize = 4
        configuration.inputs = names.map {
            var input = TensorConfiguration(name: $0.0, elementType: .fp32, dimensions: [2])
            input.isOptional = true
            return input
        }
        configuration.outputs = names.map { TensorConfiguration(name: $0.1, elementType: .fp32, dimensions: [2]) }
        return configuration
    }

    private static func open(
        _ configuration: ModelConfiguration, _ backend: IdentityEngine = IdentityEngine()
    ) throws -> any BackendModel {
        try backend.openModel(
            ModelSource(
                modelName: configuration.name, version: 1, configuration: configuration, modelDirectory: "",
                modelPath: nil, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    private static func run(
        _ configuration: ModelConfiguration, _ inputs: [Tensor], wanting outputs: Set<String>? = nil
    ) throws -> [String: [Float]] {
        let instance = try open(configuration).makeInstance(InstanceIdentity(name: "echo_0", kind: .cpu, index: 0))
        var batch = ExecutionBatch(
            inputs: inputs, batchSize: 1, requestedOutputs: outputs, clock: ManualClock())
        let results = try instance.execute(&batch)
        return Dictionary(
            uniqueKeysWithValues: try results.map { ($0.name, try $0.elements(as: Float.self)) })
    }

    private static let pairs = [("INPUT0", "OUTPUT0"), ("INPUT1", "OUTPUT1")]

    @Test("An output is the input of its number, and zeros where the request has none")
    func optional() throws {
        let configuration = Self.configuration(Self.pairs)
        let input = try Tensor(name: "INPUT1", shape: [1, 2], [7, 8] as [Float])
        #expect(try Self.run(configuration, [input]) == ["OUTPUT0": [0, 0], "OUTPUT1": [7, 8]])
        #expect(try Self.run(configuration, [input], wanting: ["OUTPUT0"]) == ["OUTPUT0": [0, 0]])
        #expect(try Self.run(configuration, [input], wanting: ["OUTPUT1"]) == ["OUTPUT1": [7, 8]])
    }

    @Test("Numbers pair inputs and outputs in whatever order they stand; other names go by position")
    func pairing() throws {
        var crossed = Self.configuration(Self.pairs)
        crossed.outputs.reverse()
        let inputs = [
            try Tensor(name: "INPUT0", shape: [1, 2], [1, 2] as [Float]),
            try Tensor(name: "INPUT1", shape: [1, 2], [3, 4] as [Float]),
        ]
        #expect(try Self.run(crossed, inputs) == ["OUTPUT0": [1, 2], "OUTPUT1": [3, 4]])
        let named = Self.configuration([("a", "x"), ("b", "y")])
        let other = try Tensor(name: "b", shape: [1, 2], [5, 6] as [Float])
        #expect(try Self.run(named, [other]) == ["x": [0, 0], "y": [5, 6]])
    }

    @Test("Parameters of other backends are ignored, and those of its own must be numbers")
    func parameters() throws {
        var configuration = Self.configuration(Self.pairs)
        configuration.parameters = ["whatever": "x", "execute_delay_ms": "5"]
        #expect(try Self.open(configuration).mayRunOnCallerThread == false)
        configuration.parameters["execute_delay_ms"] = "soon"
        let error = #expect(throws: HalcyonError.self) { try Self.open(configuration) }
        #expect(
            error?.message == "model 'echo': the parameter 'execute_delay_ms' is a whole number, got 'soon'")
    }

    @Test("An execution takes as long as its delay, on the clock; a warm-up does not", .timeLimit(.minutes(1)))
    func executionDelay() async throws {
        var configuration = Self.configuration(Self.pairs)
        configuration.parameters = ["execute_delay_ms": "300", "instance_wise_delay_multiplier": "1"]
        let clock = ManualClock()
        let backend = IdentityEngine(loading: Pauses(clock: clock), executing: Pauses(clock: clock))
        let model = try Self.open(configuration, backend)
        for (index, milliseconds) in [(0, 300), (1, 300), (2, 600)] as [(Int, UInt64)] {
            let instance = try model.makeInstance(InstanceIdentity(name: "echo_0", kind: .cpu, index: index))
            var warm = ExecutionBatch(
                inputs: [], batchSize: 1, requestedOutputs: nil, clock: clock, isWarmUp: true)
            let start = clock.now()
            _ = try instance.execute(&warm)
            #expect(clock.now() == start)
            let isOver = Locked(false)
            let driver = try WorkerThread(name: "clock") {
                // Only the execution waits on this clock: it is moved until that is over.
                while !isOver.withLock({ $0 }) { clock.advance(by: 10_000_000) }
            }
            var batch = ExecutionBatch(inputs: [], batchSize: 1, requestedOutputs: nil, clock: clock)
            _ = try instance.execute(&batch)
            isOver.withLock { $0 = true }
            #expect(clock.now() >= start + milliseconds * 1_000_000)
            driver.join()
        }
    }

    @Test("A creation that takes long ends when the server stops", .timeLimit(.minutes(1)))
    func creationDelay() throws {
        var configuration = Self.configuration(Self.pairs)
        configuration.parameters = ["creation_delay_sec": "1000000"]
        let loading = Pauses()
        let backend = IdentityEngine(loading: loading, executing: Pauses())
        let stopper = try WorkerThread(name: "stop") { loading.end() }
        let error = #expect(throws: HalcyonError.self) { try Self.open(configuration, backend) }
        #expect(error?.code == .unavailable)
        stopper.join()
    }
}

internal import Logging
package import ModelConfigurations
package import ModelRuntime
package import Tensors
package import Threads

/// An executor of a scripted model, without a repository around it.
package struct ExecutorFixture {
    package let backend: ScriptedBackend
    package let executor: ModelExecutor
    package let timer: DeadlineTimer
    package let clock: any SchedulingClock

    /// A model `test` that takes FP32 `IN` and gives FP32 `OUT`, four elements an item.
    package static func configuration(
        maxBatchSize: Int = 8, batching: DynamicBatching? = nil, dimensions: TensorShape = [4]
    ) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "test")
        configuration.maxBatchSize = maxBatchSize
        configuration.inputs = [TensorConfiguration(name: "IN", elementType: .fp32, dimensions: dimensions)]
        configuration.outputs = [TensorConfiguration(name: "OUT", elementType: .fp32, dimensions: dimensions)]
        configuration.dynamicBatching = batching
        return configuration
    }

    package init(
        _ configuration: ModelConfiguration, instances: Int = 1, clock: any SchedulingClock = SystemClock(),
        mayRunOnCallerThread: Bool = false, script: @escaping ScriptedBackend.Script = ScriptedBackend.echo(),
        adjust: (inout ModelExecutor.Parts) -> Void = { _ in }
    ) throws {
        let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        backend = ScriptedBackend(mayRunOnCallerThread: mayRunOnCallerThread, script: script)
        timer = DeadlineTimer(clock: clock)
        self.clock = clock
        let model = try backend.openModel(
            ModelSource(
                modelName: "test", version: 1, configuration: configuration, modelDirectory: "", modelPath: nil,
                log: log))
        var parts = ModelExecutor.Parts(
            model: model, version: 1, configuration: configuration,
            instances: (0..<instances).map { InstanceIdentity(name: "test_\($0)", kind: .cpu, index: $0) },
            environment: ExecutionEnvironment(clock: clock, timer: timer, log: log))
        adjust(&parts)
        executor = try ModelExecutor(parts)
    }

    /// A request with `items` items whose elements are all `value`.
    package static func request(
        _ value: Float, items: Int = 1, elements: Int = 4, priority: Int = 0, timeoutMicroseconds: UInt64 = 0
    ) throws -> InferenceRequest {
        let input = try Tensor(
            name: "IN", shape: [items, elements], [Float](repeating: value, count: items * elements))
        return InferenceRequest(
            modelName: "test", id: "\(value)", inputs: [input], priority: priority,
            timeoutMicroseconds: timeoutMicroseconds)
    }

    /// Ends the workers and the timer.
    package func stop() {
        executor.stop()
        timer.stop()
    }
}

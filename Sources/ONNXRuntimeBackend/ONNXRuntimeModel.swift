internal import CUDADriver
internal import Logging
internal import ModelConfigurations
internal import ModelFiles
internal import ModelRuntime
private import Synchronization
internal import Tensors
internal import Threads

/// One version of a model: its inputs and outputs are read when it is made; ``prepare(for:plan:)`` makes the session
/// that all instances run on, which is freed with the last of them.
final class ONNXRuntimeModel: BackendModel {
    let signature: ModelSignature?

    private let runtime: Runtime
    private let modelName: String
    private let path: String
    private let parameters: ModelParameters
    private let plan: ProviderPlan
    private let gpus: GPUs
    private let log: Logger
    /// Sessions that it may have on each GPU, for shapes of the inputs.
    private let sessionsPerGPU: Int
    private let prepared = Locked<Prepared?>(nil)
    private let isOnGPU = Atomic(false)

    /// What instances are made of.
    private struct Prepared {
        var settings: SessionSettings
        /// Whether the first dimension of the model's tensors is the batch.
        var batches = false
        /// Of the instances on the processor; `nil` where there are none.
        var session: Session?
        /// Of the instances on each GPU, where they share one.
        var shared: [Int: ShapedSessions] = [:]
        /// By number.
        var gpus: [Int: GPU] = [:]
    }

    init(
        runtime: Runtime, path: String, source: ModelSource, parameters: ModelParameters, gpus: GPUs
    ) throws(HalcyonError) {
        self.runtime = runtime
        self.path = path
        self.parameters = parameters
        self.gpus = gpus
        log = source.log
        modelName = source.modelName
        plan = try ProviderPlan(source.configuration.optimization, parameters, modelName: source.modelName)
        sessionsPerGPU =
            gpus.devices.isEmpty
            ? 1
            : parameters.sessionsPerGPU
                ?? ShapedSessions.limit(
                    for: ONNXSummary(of: path), version: runtime.library.version, providers: plan.onGPU,
                    isShared: plan.sharesSession)
        do throws(HalcyonError) {
            // How many threads the session may have is not known before the configuration is complete, and what is
            // missing in it comes from the model: so it is read once more for that.
            let session = try Self.reading(runtime, path, parameters, plan, gpus)
            try Self.checkOutputs(session, source.configuration)
            signature = try Self.signature(session, source.configuration)
        } catch {
            throw error.prefixed("model '\(source.modelName)': ")
        }
    }

    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {
        let own = Set((signature?.inputs ?? []).filter(\.isOptional).map(\.name))
        if let input = configuration.inputs.first(where: { $0.isOptional && !own.contains($0.name) }) {
            throw HalcyonError(
                .unsupported,
                "model '\(modelName)': input '\(input.name)' can't be optional, as ONNX Runtime runs only with all "
                    + "inputs for which the model has no value of its own")
        }
        do throws(HalcyonError) {
            var prepared = try prepare(
                configuration.instanceGroups, .running(configuration, parameters, plan: plan))
            prepared.batches = configuration.maxBatchSize > 0
            self.prepared.withLock { $0 = prepared }
            isOnGPU.store(!prepared.gpus.isEmpty, ordering: .relaxed)
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    private func prepare(
        _ groups: [InstanceGroup], _ settings: SessionSettings
    ) throws(HalcyonError) -> Prepared {
        var prepared = Prepared(settings: settings)
        if groups.isEmpty || groups.contains(where: { $0.kind != .gpu }) {
            prepared.settings.providers = plan.onCPU
            prepared.session = try Session(runtime: runtime, path: path, settings: prepared.settings)
        }
        var counts: [Int: Int] = [:]
        for group in groups where group.kind == .gpu {
            for number in group.gpus { counts[number, default: 0] += group.count }
        }
        guard !counts.isEmpty else {
            if plan.isForGPUs {
                let reason = gpus.devices.isEmpty ? nil : runtime.cudaAbsence?.message
                log.notice(
                    "the model's gpu_execution_accelerator is not used, as no instance of it is on a GPU",
                    metadata: reason.map { ["reason": "\($0)"] } ?? [:])
            }
            return prepared
        }
        for provider in plan.onGPU { try provider.check(runtime.providers, version: runtime.library.version) }
        for (number, count) in counts.sorted(by: { $0.key < $1.key }) {
            prepared.gpus[number] = try gpus.gpu(number)
            let onGPU = settings.on(plan.onGPU, gpu: number)
            if prepared.session == nil { prepared.settings = onGPU }
            guard plan.sharesSession, count > 1 || !runtime.takesStreams else { continue }
            prepared.shared[number] = try sessions(onGPU, stream: nil)
        }
        return prepared
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        let prepared = prepared.withLock { $0 }
        if let number = identity.gpu, let prepared, let gpu = prepared.gpus[number] {
            do throws(HalcyonError) {
                return try makeInstance(on: gpu, prepared)
            } catch {
                throw error.prefixed("model '\(modelName)': ")
            }
        }
        guard let session = prepared?.session else {
            throw HalcyonError(.internal, "instance '\(identity.name)' was asked of a model that is not prepared")
        }
        return ONNXRuntimeInstance(session, modelName: modelName, batches: prepared?.batches ?? false)
    }

    private func makeInstance(on gpu: GPU, _ prepared: Prepared) throws(HalcyonError) -> any ModelInstance {
        let number = gpu.device.number
        let stream = try CUDAStream(gpu.context)
        let sessions: ShapedSessions =
            if let shared = prepared.shared[number] {
                shared
            } else {
                try sessions(
                    prepared.settings.on(plan.onGPU, gpu: number), stream: runtime.takesStreams ? stream : nil)
            }
        let place = ONNXRuntimeGPUInstance.Place(
            gpu: gpu, stream: stream, memory: gpus, information: try runtime.memory(ofGPU: number))
        return try ONNXRuntimeGPUInstance(sessions, on: place, modelName: modelName)
    }

    private func sessions(
        _ settings: SessionSettings, stream: CUDAStream?
    ) throws(HalcyonError) -> ShapedSessions {
        var settings = settings
        // A session that meets one shape needs the memory of that.
        if sessionsPerGPU > 1 { settings.keepArenaSmall() }
        return try ShapedSessions(limit: sessionsPerGPU) { [runtime, path, settings] () throws(HalcyonError) in
            try Session(runtime: runtime, path: path, settings: settings, stream: stream)
        }
    }

    /// The engine takes runs from any thread, and computes on it together with the session's own. On a GPU it keeps
    /// things for each thread that it ever ran on, so that only the instances' own may.
    var mayRunOnCallerThread: Bool { !isOnGPU.load(ordering: .relaxed) }

    /// Some of its kernels end the process on them.
    let takesEmptyTensors = false

    var properties: [(name: String, value: String)] {
        guard let prepared = prepared.withLock({ $0 }) else { return [] }
        let gpus = prepared.gpus.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.device.name))" }
        return [("engine", "ONNX Runtime \(runtime.library.version)")] + prepared.settings.described
            + (gpus.isEmpty
                ? []
                : [
                    ("GPUs", gpus.joined(separator: ", ")),
                    ("sessions on a GPU, for shapes of inputs", "up to \(sessionsPerGPU)"),
                ])
    }

    /// A session for reading inputs and outputs: on the processor, and where that has no code for the model, on a GPU.
    private static func reading(
        _ runtime: Runtime, _ path: String, _ parameters: ModelParameters, _ plan: ProviderPlan, _ gpus: GPUs
    ) throws(HalcyonError) -> Session {
        let settings = SessionSettings.reading(parameters)
        do throws(HalcyonError) {
            return try Session(runtime: runtime, path: path, settings: settings)
        } catch {
            guard runtime.providers.contains(ExecutionProvider.Kind.cuda.rawValue), let first = gpus.devices.first,
                let session = try? Session(
                    runtime: runtime, path: path,
                    settings: settings.on(plan.onGPU.filter { $0.kind == .cuda }, gpu: first.number))
            else { throw error }
            return session
        }
    }

    /// Outputs that are no tensors are left out where the configuration leaves them out, and not silently.
    private static func checkOutputs(
        _ session: Session, _ configuration: ModelConfiguration
    ) throws(HalcyonError) {
        let wanted = configuration.outputs.isEmpty ? nil : Set(configuration.outputs.map(\.name))
        guard let name = session.otherOutputs.first(where: { wanted?.contains($0) ?? true }) else { return }
        let tensors = session.outputs.map { "'\($0.name)'" }.joined(separator: ", ")
        throw HalcyonError(
            .unsupported,
            "output '\(name)' is no tensor but a sequence, a map or optional, which the onnxruntime backend does not "
                + "take: export the model without it (skl2onnx: options={'zipmap': False}; onnxmltools: zipmap=False)"
                + (tensors.isEmpty ? "" : ", or name only outputs that are tensors in config.pbtxt: \(tensors)"))
    }

    /// - Throws: `invalidArgument` where the configuration says that the model batches, and an input does not.
    private static func signature(
        _ session: Session, _ configuration: ModelConfiguration
    ) throws(HalcyonError) -> ModelSignature {
        let maxBatchSize = configuration.maxBatchSize
        for input in session.inputs where maxBatchSize > 0 && !input.isOptional {
            let first = input.dimensions.first
            if first == TensorShape.variable || first == 1 && maxBatchSize == 1 { continue }
            if first == nil, configuration.inputs.contains(where: { $0.name == input.name }) { continue }
            let reason = first.map { "has a fixed batch dimension of \($0)" } ?? "has no dimensions"
            throw HalcyonError(
                .invalidArgument,
                "input '\(input.name)' \(reason), so max_batch_size must be 0, but it is \(maxBatchSize)")
        }
        let opensBatch = maxBatchSize == 1
        func port(_ port: Session.Port, _ configured: [TensorConfiguration]) -> ModelSignature.Port {
            var dimensions = port.dimensions
            if opensBatch, dimensions.first == 1 { dimensions[0] = TensorShape.variable }
            // The engine says the same of a scalar and of a tensor of any rank: the configuration knows better.
            let isUnknown = dimensions.isEmpty && configured.contains { $0.name == port.name }
            return ModelSignature.Port(
                name: port.name, elementType: port.elementType, shape: isUnknown ? nil : TensorShape(dimensions),
                isOptional: port.isOptional)
        }
        return ModelSignature(
            inputs: session.inputs.map { port($0, configuration.inputs) },
            outputs: session.outputs.map { port($0, configuration.outputs) })
    }
}

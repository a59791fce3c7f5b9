package import ModelConfigurations
package import ModelRuntime
package import Tensors
package import Threads

/// A backend whose models do what a test says, and remember what they were given.
package final class ScriptedBackend: Backend {
    /// What an instance does with a batch.
    package typealias Script = @Sendable (inout ExecutionBatch, InstanceIdentity) throws -> [Tensor]

    package let name: String
    package let modelFilenames: [String] = []
    private let signature: ModelSignature?
    private let mayRunOnCallerThread: Bool
    private let fixedBatchSize: Int?
    private let script: Script
    private let batchSizes = Locked<[Int]>([])
    private let opened = Locked<[Int64]>([])
    private let givenUp = Locked<[Int64]>([])
    /// While it is set, no new instances can be made.
    package let refusal = Locked<HalcyonError?>(nil)

    package init(
        name: String = "scripted", signature: ModelSignature? = nil, mayRunOnCallerThread: Bool = false,
        fixedBatchSize: Int? = nil, script: @escaping Script
    ) {
        self.fixedBatchSize = fixedBatchSize
        self.name = name
        self.signature = signature
        self.mayRunOnCallerThread = mayRunOnCallerThread
        self.script = script
    }

    /// The sizes of the batches executed so far, in the order in which they began.
    package var executedBatchSizes: [Int] { batchSizes.withLock { $0 } }

    /// The versions that were opened so far, in this order.
    package var openedVersions: [Int64] { opened.withLock { $0 } }

    /// The versions that were given up while they were made, in this order.
    package var givenUpVersions: [Int64] { givenUp.withLock { $0 } }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        source.abandonment?.whenGivenUp { [self] in givenUp.withLock { $0.append(source.version) } }
        opened.withLock { $0.append(source.version) }
        return model()
    }

    private func model() -> any BackendModel {
        ScriptedModel(
            signature: signature, mayRunOnCallerThread: mayRunOnCallerThread, fixedBatchSize: fixedBatchSize,
            refusal: refusal
        ) { [self] batch, identity in
            let size = batch.batchSize
            batchSizes.withLock { $0.append(size) }
            return try script(&batch, identity)
        }
    }

    /// A script that answers each input with an output of the same bytes.
    package static func echo(_ names: [String: String] = ["IN": "OUT"]) -> Script {
        { batch, _ in
            batch.inputs.map { input in
                var output = input
                output.name = names[input.name] ?? input.name
                return output
            }
        }
    }
}

private final class ScriptedModel: BackendModel {
    let signature: ModelSignature?
    let mayRunOnCallerThread: Bool
    let fixedBatchSize: Int?
    private let refusal: Locked<HalcyonError?>
    private let script: ScriptedBackend.Script

    init(
        signature: ModelSignature?, mayRunOnCallerThread: Bool, fixedBatchSize: Int?,
        refusal: Locked<HalcyonError?>, script: @escaping ScriptedBackend.Script
    ) {
        self.fixedBatchSize = fixedBatchSize
        self.refusal = refusal
        self.signature = signature
        self.mayRunOnCallerThread = mayRunOnCallerThread
        self.script = script
    }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        if let error = refusal.withLock({ $0 }) { throw error }
        return ScriptedInstance(identity: identity, script: script)
    }
}

private final class ScriptedInstance: ModelInstance {
    private let identity: InstanceIdentity
    private let script: ScriptedBackend.Script

    init(identity: InstanceIdentity, script: @escaping ScriptedBackend.Script) {
        self.identity = identity
        self.script = script
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] { try script(&batch, identity) }
}

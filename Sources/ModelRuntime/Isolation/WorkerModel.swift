package import Tensors

/// A model that is executed by processes of its own, which may end at any time.
package protocol WorkerModel: BackendModel {
    /// Where batches are gathered, and requests' inputs lie best, so that the processes read them there.
    var batchMemory: any MemoryProvider { get }

    /// Why there is no process at the moment, where there is none.
    var complaint: String? { get }

    /// The processes that have gone, by the cause.
    var restarts: [String: UInt64] { get }

    /// Whether a batch that ended a process is tried once more, request by request.
    var triesBatchesAgain: Bool { get }

    /// Why a request with these inputs is not executed: it has ended processes before.
    func refusal(of inputs: [Tensor]) -> HalcyonError?

    /// A process ended while it had a request with these inputs, and no other.
    func endedWorker(_ inputs: [Tensor])
}

/// An instance of such a model.
package protocol WorkerInstanceLoss: ModelInstance {
    /// Whether the last execution failed because the process ended.
    var hasLostWorker: Bool { get }

    /// Whether the process had got what was to be executed. Where not, it had ended before, with nothing but the states
    /// that it kept, and the next execution goes to the next process.
    var hadBatch: Bool { get }

    /// Whether that was the doing of what it executed: the process crashed, and executed nothing else.
    var isToBlame: Bool { get }
}

/// What decides whether models run in processes of their own, and makes the backends that see to it.
package protocol ModelIsolating: Sendable {
    /// The backend that a model is opened with: the given one, or one around it.
    ///
    /// - Throws: `invalidArgument` for parameters that mean nothing.
    func backend(for request: IsolationRequest, around backend: any Backend) throws(HalcyonError) -> any Backend
}

/// A model that is about to be loaded.
package struct IsolationRequest: Sendable {
    /// As written: with the parameters that are the server's own.
    package var parameters: [String: String]
    package var modelName: String
    /// The library that its configuration names; empty for the usual one.
    package var runtime: String
    /// Whether a client brought the model's files.
    package var hasClientFiles: Bool
    /// How long an execution may take, in nanoseconds; 0 for as long as it takes.
    package var executionTimeout: UInt64

    package init(
        parameters: [String: String], modelName: String, runtime: String, hasClientFiles: Bool,
        executionTimeout: UInt64
    ) {
        self.parameters = parameters
        self.modelName = modelName
        self.runtime = runtime
        self.hasClientFiles = hasClientFiles
        self.executionTimeout = executionTimeout
    }
}

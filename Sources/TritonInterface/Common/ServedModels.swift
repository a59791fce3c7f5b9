private import CTriton
package import ModelConfigurations
package import ModelRepository
package import ModelRuntime
package import Tensors

/// The models of a server, as programs and backends ask for them through the interface.
package protocol ServedModels: AnyObject, Sendable {
    /// Hands in a request. The handler is told as ``ResponseHandler`` says, also of what is wrong with the request.
    ///
    /// - Returns: what can take it back; `nil` where it has ended already.
    @discardableResult
    func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)?

    func isModelReady(_ name: String, version: Int64?) -> Bool

    /// - Throws: `notFound` or `unavailable` for a model that is not served.
    func facts(_ name: String, version: Int64?) throws(HalcyonError) -> ModelFacts

    /// The labels of an output; empty where it has none.
    func labels(of output: String, model: String, version: Int64?) -> [String]

    /// Blocks until the model serves.
    func load(_ name: String, override: ModelOverride?) throws(HalcyonError)

    /// Does not wait for the requests that the model has: they are finished all the same.
    func unload(_ name: String, dependents: Bool) throws(HalcyonError)
}

/// What a request has to know of its model.
package struct ModelFacts: Sendable {
    package var name: String
    package var version: Int64
    package var inputs: [TensorConfiguration]
    /// 0 for a model that does not batch.
    package var maxBatchSize: Int
    /// Whether it gives any number of responses to a request.
    package var isDecoupled: Bool
    /// Whether nothing reads a request's inputs any more once its answer is there.
    package var isDoneWhenAnswered: Bool

    package init(
        name: String, version: Int64, inputs: [TensorConfiguration], maxBatchSize: Int, isDecoupled: Bool,
        isDoneWhenAnswered: Bool = false
    ) {
        self.name = name
        self.version = version
        self.inputs = inputs
        self.maxBatchSize = maxBatchSize
        self.isDecoupled = isDecoupled
        self.isDoneWhenAnswered = isDoneWhenAnswered
    }
}

/// What is known of a server that a C program has started itself.
package protocol ServerProgram: AnyObject, Sendable {
    /// Whether the program may be called on the thread on which it hands a request in, so that no other has to wake. It
    /// must hold no lock there that its callbacks take.
    var callsOnCallersThread: Bool { get }
}

/// A server that C programs hold, or that a backend asks for by its model.
package class ServerObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .server }
    package let models: any ServedModels
    /// `nil` for a server that is not a C program's own.
    package let program: (any ServerProgram)?
    /// Where requests are counted that are handed in by it; `nil` where nobody asks.
    let calls: ServerCalls?

    private let texts = CTexts()
    private let generation = halcyon_triton_fork_generation()

    package init(_ models: any ServedModels, program: (any ServerProgram)? = nil, calls: ServerCalls? = nil) {
        self.models = models
        self.program = program
        self.calls = calls
    }

    /// A name, as C reads it.
    func text(_ text: String) -> CText { texts[text] }

    /// The server of a pointer.
    ///
    /// - Throws: `invalidArgument` for what is no server; `unavailable` in a process that was forked from the server's:
    ///   its threads are not there.
    package static func at(_ pointer: OpaquePointer?) throws(HalcyonError) -> ServerObject {
        let server = try Handles.object(pointer, as: ServerObject.self, "server")
        guard server.generation == halcyon_triton_fork_generation() else {
            throw HalcyonError(
                .unavailable,
                "the server belongs to the process that this one was forked from: start one here, or fork first")
        }
        return server
    }
}

/// A trace of a request that C programs hold, too.
package protocol InterfaceTrace: RequestTrace {
    /// The trace's pointer; `nil` where it has none.
    var interfaceHandle: OpaquePointer? { get }
}

package import ModelConfigurations
internal import ModelRepository
package import ModelRuntime
package import Tensors

/// A version of a model, found once: what a request needs of its model is asked of this, and is of one and the same
/// version, whatever is loaded meanwhile.
///
/// It holds the version in service, and who unloads the model waits until the handle has gone: keep it for the reading
/// and handing in of a request, and no longer.
package struct ModelHandle: ~Copyable, Sendable {
    private let held: HeldModel
    private let server: InferenceServer

    init(_ held: consuming HeldModel, of server: InferenceServer) {
        self.held = held
        self.server = server
    }

    package var version: Int64 { held.model.version }
    /// The effective configuration: as written, with what the model and the defaults add. A copy; what every request
    /// asks for is beside it.
    package var configuration: ModelConfiguration { held.model.configuration }
    /// Whether it gives any number of responses to a request.
    package var isDecoupled: Bool { held.model.isDecoupled }
    /// What a request has to know of it.
    package var interface: ModelInterface {
        ModelInterface(
            name: held.model.name, version: held.model.version, inputs: held.model.inputs,
            maxBatchSize: held.model.maxBatchSize)
    }
    /// Whether nothing reads a request's inputs any more once its answer is there.
    package var isDoneWhenAnswered: Bool { held.model.isDoneWhenAnswered }
    /// Whether the first dimension of its tensors is the batch.
    package var batches: Bool { held.model.maxBatchSize > 0 }
    /// Whether it serves as it should; an ensemble does if all models that it needs do, and fit it.
    package var isReady: Bool { server.manager.isReady(held) }

    /// Memory in which a request's inputs lie best; `nil` where none is better than another.
    package var inputMemory: (any MemoryProvider)? { held.model.executor.inputMemory }

    /// The labels of an output; empty where its configuration names no label file. An ensemble's outputs have those of
    /// the step that makes them, unless they have their own.
    package func labels(of output: String) -> [String] { server.manager.labels(of: output, in: held) }

    /// Hands in a request, as ``InferenceServer/submit(_:handler:)`` does; the request's own name and version are not
    /// looked at.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread = .nonBlocking, handler: @escaping ResponseHandler
    ) -> InferenceHandle? {
        var handler = handler
        if let placement = request.outputPlacement {
            handler = { [gpus = server.gpus, handler] result in
                handler(
                    result.flatMap { response in
                        Result { () throws(HalcyonError) in try response.placed(in: placement, by: gpus) }
                    })
            }
        }
        return held.model.executor.submit(request, from: caller, handler: handler).map(InferenceHandle.init)
    }
}

/// What a request has to know of its model, where the request does not say it itself.
package struct ModelInterface: Sendable {
    package var name: String
    package var version: Int64
    package var inputs: [TensorConfiguration]
    /// 0 for a model that does not batch.
    package var maxBatchSize: Int

    package init(name: String, version: Int64, inputs: [TensorConfiguration], maxBatchSize: Int) {
        self.name = name
        self.version = version
        self.inputs = inputs
        self.maxBatchSize = maxBatchSize
    }

    /// The complete shape of an input; −1 is any size.
    package func shape(of input: TensorConfiguration) -> TensorShape { input.completeShape(maxBatchSize: maxBatchSize) }
}

public import ModelConfigurations

/// One loaded version of a model. It is shared by its instances and freed when the last of them is.
public protocol BackendModel: AnyObject, Sendable {
    /// The tensors that the model itself declares, to check a configuration against and to complete it from; `nil`
    /// where only the configuration knows them.
    var signature: ModelSignature? { get }

    /// The configuration with what the model itself adds to it, where it says more than a signature can: tensors,
    /// batches and whether it is decoupled are taken over from it. `nil` where it adds nothing.
    var completedConfiguration: ModelConfiguration? { get }

    /// Whether it may be run on zeros before its first request, to warm it up.
    var warmsUpOnZeros: Bool { get }

    /// Whether an instance may run on the thread of whoever asks for an inference, when recent executions were short.
    /// An engine that is bound to threads of its own says no.
    var mayRunOnCallerThread: Bool { get }

    /// The same of a caller that waits for its answer whatever happens. A model whose executions may take long without
    /// a warning, as another process has to answer, says yes to this alone.
    var mayRunOnBlockingCallerThread: Bool { get }

    /// The one size that batches may have; `nil` where any up to the configured maximum will do.
    var fixedBatchSize: Int? { get }

    /// Whether requests may bring inputs without elements. An engine that ends the process on them says no, and a model
    /// takes them where its configuration says so.
    var takesEmptyTensors: Bool { get }

    /// The outputs that have, request by request, the shape of an input of which requests of different shapes share a
    /// batch: that input, by the output's name.
    var outputsLikeInputs: [String: String] { get }

    /// Does the costly part of loading, once, before the first instance is made.
    ///
    /// - Parameters:
    ///   - configuration: complete, and in agreement with the signature.
    ///   - plan: the share of the processor that the model's instances have together.
    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws

    /// Whether the model, as it has been prepared, is right for instances with another share of the processor: they can
    /// be added and taken away while others run then, and otherwise the model is made again.
    func isPrepared(for plan: CPUPlan) -> Bool

    /// Makes one instance. Called for each instance of each group, in order, and later on for those that are added.
    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance

    /// What an operator should know of the prepared model, for the log: precision, streams, where its cache lies.
    var properties: [(name: String, value: String)] { get }
}

extension BackendModel {
    /// By default only the configuration knows the tensors.
    public var signature: ModelSignature? { nil }
    /// By default the model adds nothing to its configuration but its signature.
    public var completedConfiguration: ModelConfiguration? { nil }
    /// By default the model may be warmed up.
    public var warmsUpOnZeros: Bool { true }
    /// By default instances run on threads of their own.
    public var mayRunOnCallerThread: Bool { false }
    /// By default a caller that blocks is like any other.
    public var mayRunOnBlockingCallerThread: Bool { mayRunOnCallerThread }
    /// By default batches have any size up to the configured maximum.
    public var fixedBatchSize: Int? { nil }
    /// By default requests may bring inputs without elements.
    public var takesEmptyTensors: Bool { true }
    /// By default outputs have the shapes that the configuration gives them.
    public var outputsLikeInputs: [String: String] { [:] }
    /// By default there is nothing to prepare.
    public func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {}
    /// By default instances come and go while others run.
    public func isPrepared(for plan: CPUPlan) -> Bool { true }
    /// By default there is nothing to tell.
    public var properties: [(name: String, value: String)] { [] }
}

public import ModelConfiguration

/// One loaded version of a model. It is shared by its instances and freed when the last of them is.
public protocol Model: AnyObject, Sendable {
    /// The tensors that the model itself declares, to check a configuration against and to complete it from; `nil`
    /// where only the configuration knows them.
    var signature: ModelSignature? { get }

    /// Whether an instance may run on the thread of whoever asks for an inference, when recent executions were short.
    /// An engine that is bound to threads of its own says no.
    var mayRunOnCallerThread: Bool { get }

    /// Does the costly part of loading, once, before the first instance is made.
    ///
    /// - Parameters:
    ///   - configuration: complete, and in agreement with the signature.
    ///   - plan: the share of the processor that the model's instances have together.
    func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws

    /// Makes one instance. Called for each instance of each group, in order.
    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance

    /// What an operator should know of the prepared model, for the log: precision, streams, where its cache lies.
    var properties: [(name: String, value: String)] { get }
}

extension Model {
    public var signature: ModelSignature? { nil }
    public var mayRunOnCallerThread: Bool { false }
    public func prepare(for configuration: ModelConfiguration, plan: CPUPlan) throws {}
    public var properties: [(name: String, value: String)] { [] }
}

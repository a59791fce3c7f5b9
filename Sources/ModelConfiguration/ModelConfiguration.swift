/// A model's configuration (`config.pbtxt`): the values of the reference's `ModelConfig` message that the engine acts
/// on, checked, with defaults filled in.
///
/// Property names are those of the schema in Swift's case; lists are plural (`input` is ``inputs``).
public struct ModelConfiguration: Hashable, Sendable {
    public var name: String
    /// The reference's older way to name an engine, `onnxruntime_onnx` for instance; empty where `backend` says it.
    public var platform: String
    public var backend: String
    public var runtime: String
    public var versionPolicy: VersionPolicy
    /// The largest batch the model takes; 0 where its tensors have no batch dimension.
    public var maxBatchSize: Int
    public var inputs: [TensorConfiguration]
    public var outputs: [TensorConfiguration]
    /// Inputs that the engine makes for each batch.
    public var batchInputs: [BatchInput] = []
    /// Outputs whose rows have no common size.
    public var batchOutputs: [BatchOutput] = []
    public var instanceGroups: [InstanceGroup]
    /// `nil` for the default scheduler: a request at a time.
    public var dynamicBatching: DynamicBatching?
    public var optimization: Optimization
    /// The file or folder in a version folder that holds the model; empty for the engine's usual name.
    public var defaultModelFilename: String
    /// The `string_value` of each parameter.
    public var parameters: [String: String]
    /// Labels that the model's metrics carry.
    public var metricTags: [String: String] = [:]
    /// The upper bounds, in milliseconds and ascending, of the buckets of `nv_inference_first_response_histogram_ms`
    /// (`model_metrics`); `nil` for the usual ones.
    public var firstResponseBuckets: [Double]?
    /// Whether a request may get any number of responses.
    public var isDecoupled = false
    /// Whether equal requests may be answered from memory.
    public var usesResponseCache = false
    public var warmUps: [WarmUpSample] = []
    /// For a model that keeps a state between requests.
    public var sequenceBatching: SequenceBatching?
    /// For a model that is made of others.
    public var ensemble: EnsembleScheduling?

    public init(name: String) {
        self.name = name
        platform = ""
        backend = ""
        runtime = ""
        versionPolicy = .latest(1)
        maxBatchSize = 0
        inputs = []
        outputs = []
        instanceGroups = []
        dynamicBatching = nil
        optimization = Optimization()
        defaultModelFilename = ""
        parameters = [:]
    }
}

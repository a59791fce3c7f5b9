/// A model's configuration (`config.pbtxt`): the values of Triton's `ModelConfig` message that the engine acts
/// on, checked, with defaults filled in.
///
/// Property names are those of the schema in Swift's case; lists are plural (`input` is ``inputs``), and times are
/// durations (`default_timeout_microseconds` is ``QueuePolicy/defaultTimeout``).
public struct ModelConfiguration: Hashable, Sendable {
    /// The model's name, that of its folder.
    public var name: String
    /// Triton's older way to name an engine, `onnxruntime_onnx` for instance; empty where `backend` says it.
    public var platform: String
    /// The name of the backend that runs it; empty where `platform` or the model's file says it.
    public var backend: String
    /// The name of the library file that the backend runs on, in the backend's folder; empty for
    /// `libtriton_<backend>.so`.
    public var runtime = ""
    /// Which versions of those in the model's folder are served.
    public var versionPolicy: VersionPolicy
    /// The largest batch the model takes; 0 where its tensors have no batch dimension.
    public var maxBatchSize: Int
    /// The inputs, in the order of the file.
    public var inputs: [TensorConfiguration]
    /// The outputs, in the order of the file.
    public var outputs: [TensorConfiguration]
    /// Inputs that the engine makes for each batch.
    public var batchInputs: [BatchInput] = []
    /// Outputs whose rows have no common size.
    public var batchOutputs: [BatchOutput] = []
    /// The groups of instances; empty for one instance.
    public var instanceGroups: [InstanceGroup]
    /// `nil` for the default scheduler: a request at a time.
    public var dynamicBatching: DynamicBatching?
    /// What the engine may do to be faster.
    public var optimization: ModelOptimization
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
    /// Who looks at the model's files, or changes them, before it is loaded, in this order.
    public var repositoryAgents: [RepositoryAgent] = []
    /// The requests that a new instance runs before clients reach it.
    public var warmUps: [WarmUpSample] = []
    /// For a model that keeps a state between requests.
    public var sequenceBatching: SequenceBatching?
    /// For a model that is made of others.
    public var ensemble: EnsembleScheduling?

    /// A configuration with nothing but a name: every other value is that of a file that leaves it out.
    public init(name: String) {
        self.name = name
        platform = ""
        backend = ""
        versionPolicy = .latest(1)
        maxBatchSize = 0
        inputs = []
        outputs = []
        instanceGroups = []
        dynamicBatching = nil
        optimization = ModelOptimization()
        defaultModelFilename = ""
        parameters = [:]
    }
}

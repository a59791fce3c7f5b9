internal import CTriton
internal import JSONText
internal import Logging
internal import ModelConfigurations
internal import Tensors
internal import Threads

/// A model of a backend.
final class ModelObject: @unchecked Sendable {

    private struct State {
        var userState: UInt = 0
        var own: OpaquePointer?
        var server: OpaquePointer?
        var configuration: ModelConfiguration {
            didSet { outputNames = configuration.outputs.map(\.name) }
        }
        private(set) var outputNames: [String]
        /// What the backend has made of it; `nil` where it has made nothing.
        var completed: ModelConfiguration?
        var isInitializing = false
        var memoryUsage: [ModelMemory] = []

        init(_ configuration: ModelConfiguration) {
            self.configuration = configuration
            outputNames = configuration.outputs.map(\.name)
        }
    }

    /// Memory that a backend says it uses.
    struct ModelMemory: Hashable, Sendable {
        var placement: MemoryPlacement
        var byteCount: Int
    }

    let name: CText
    let nameText: String
    let version: Int64
    /// The model's folder.
    let folder: CText
    let backend: BackendObject
    let completesConfiguration: Bool
    /// What its instances ask of other models, or of itself.
    let calls: ServerCalls
    private let state: Locked<State>
    private let texts = CTexts()

    init(
        _ configuration: ModelConfiguration, version: Int64, folder: String, of backend: BackendObject,
        completesConfiguration: Bool, models: (any ServedModels)?
    ) throws(HalcyonError) {
        nameText = configuration.name
        name = CText(configuration.name)
        self.version = version
        self.folder = CText(folder)
        self.backend = backend
        self.completesConfiguration = completesConfiguration
        let calls = ServerCalls()
        self.calls = calls
        state = Locked(State(configuration))
        let own = try Handles.give(ModelReference(self))
        let server = try models.map { (models) throws(HalcyonError) in
            try Handles.give(ServerObject(models, calls: calls))
        }
        state.withLock { state in
            state.own = own
            state.server = server
        }
    }

    deinit {
        let state = state.withLock { $0 }
        if let server = state.server { _ = try? Handles.take(server, as: ServerObject.self, "") }
        _ = try? Handles.take(state.own, as: ModelReference.self, "")
    }

    var handle: OpaquePointer? { state.withLock { $0.own } }
    var server: OpaquePointer? { state.withLock { $0.server } }
    var configuration: ModelConfiguration { state.withLock { $0.configuration } }
    var outputNames: [String] { state.withLock { $0.outputNames } }
    var completed: ModelConfiguration? { state.withLock { $0.completed } }
    var isDecoupled: Bool { state.withLock { $0.configuration.isDecoupled } }

    var userState: UnsafeMutableRawPointer? {
        get { UnsafeMutableRawPointer(bitPattern: state.withLock { $0.userState }) }
        set { state.withLock { $0.userState = UInt(bitPattern: newValue) } }
    }

    /// A name of the model's, as C reads it, for as long as the model lives.
    func text(_ text: String) -> CText { texts[text] }

    /// Has the backend make the model.
    func initialize() throws(HalcyonError) {
        guard let initialize = backend.library.modelInitialize else { return }
        state.withLock { $0.isInitializing = true }
        defer { state.withLock { $0.isInitializing = false } }
        do throws(HalcyonError) {
            try BackendCall.with(model: self) { () throws(HalcyonError) in
                try ErrorObject.check(initialize(handle))
            }
        } catch {
            throw placed(error)
        }
    }

    /// What the Python backend says of a model with an environment of its own, and which: it may not say so itself. To
    /// other backends the parameter means nothing, or something else.
    func placed(_ error: HalcyonError) -> HalcyonError {
        guard BackendSearch.isPython(library: backend.library.path),
            let path = configuration.parameters["EXECUTION_ENV_PATH"], !path.isEmpty
        else { return error }
        return error.prefixed("with the environment '\(path)' (EXECUTION_ENV_PATH): ")
    }

    /// Has the backend take the model apart. What it says is logged, as nobody can do anything about it.
    func finalize() {
        guard let finalize = backend.library.modelFinalize else { return }
        do throws(HalcyonError) {
            try BackendCall.with(model: self) { () throws(HalcyonError) in
                try ErrorObject.check(finalize(handle))
            }
        } catch {
            InterfaceLog.logger?.error(
                "a model was taken apart with an error", metadata: ["model": "\(nameText)", "error": "\(error)"])
        }
    }

    func set(_ configuration: ModelConfiguration) { state.withLock { $0.configuration = configuration } }

    /// What the backend completes the configuration to.
    ///
    /// - Throws: `unsupported` outside of `TRITONBACKEND_ModelInitialize`, or where nothing is to be completed.
    func complete(_ json: UnsafeRawBufferPointer) throws(HalcyonError) {
        guard completesConfiguration else {
            throw HalcyonError(.unsupported, "configurations are not completed, as the server was told")
        }
        guard state.withLock({ $0.isInitializing }) else {
            throw HalcyonError(
                .unsupported, "a model's configuration can be set in TRITONBACKEND_ModelInitialize only")
        }
        let read = try ConfigurationReader.configuration(
            Array(json), file: "the configuration that the backend '\(backend.nameText)' gives", modelName: nameText,
            form: .json)
        state.withLock { state in
            state.completed = read.configuration
            state.configuration = read.configuration
        }
    }

    func report(_ usage: [ModelMemory]) { state.withLock { $0.memoryUsage = usage } }
    var memoryUsage: [ModelMemory] { state.withLock { $0.memoryUsage } }
}

/// What the model's pointer keeps.
package final class ModelReference: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .model }
    private unowned(unsafe) let target: ModelObject
    init(_ target: ModelObject) { self.target = target }
    var model: ModelObject { target }
}

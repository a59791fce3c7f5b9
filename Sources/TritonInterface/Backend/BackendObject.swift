internal import CTriton
internal import JSONText
internal import Logging
internal import ModelConfigurations
internal import Tensors
internal import Threads

/// A backend's library in use by one server.
final class BackendObject: @unchecked Sendable {

    /// Instances that a backend would like where a configuration names none.
    struct PreferredGroup: Hashable, Sendable {
        var kind: TRITONSERVER_InstanceGroupKind.RawValue
        var count: UInt64
        var devices: [UInt64]

        /// As a configuration would have it; a count of 0 leaves it at one instance.
        var instanceGroup: InstanceGroup {
            let kind: InstanceGroup.Kind =
                switch TRITONSERVER_InstanceGroupKind(rawValue: kind) {
                case TRITONSERVER_INSTANCEGROUPKIND_CPU: .cpu
                case TRITONSERVER_INSTANCEGROUPKIND_GPU: .gpu
                case TRITONSERVER_INSTANCEGROUPKIND_MODEL: .model
                default: .auto
                }
            return InstanceGroup(
                kind: kind, count: min(max(1, Int(clamping: count)), InstanceGroup.maximumCount),
                gpus: devices.map { Int(clamping: $0) })
        }
    }

    private struct State {
        var userState: UInt = 0
        var policy = TRITONBACKEND_EXECUTION_BLOCKING.rawValue
        var isInitializing = false
        var own: OpaquePointer?
        var configuration: OpaquePointer?
        var memoryManager: OpaquePointer?
        var preferredGroups: [PreferredGroup] = []
        var loadsInParallel = false
        var isInitialized = false
    }

    let name: CText
    let nameText: String
    /// The folder that the backend's files are in.
    let folder: CText
    let folderText: String
    let library: BackendLibrary
    let end = BackendEnd()
    private let state = Locked(State())

    /// - Parameter settings: what the command line says to it, as Triton says it.
    init(
        name: String, folder: String, _ library: BackendLibrary, settings: [(name: String, value: String)]
    ) throws(HalcyonError) {
        nameText = name
        self.name = CText(name)
        folderText = folder
        self.folder = CText(folder)
        self.library = library
        let message: JSONValue = [
            "cmdline": .object(settings.map { JSONValue.Member($0.name, .string($0.value)) })
        ]
        let configuration = try MessageObject.give(message)
        let manager = try Handles.give(MemoryManagerObject())
        let own = try Handles.give(BackendReference(self))
        state.withLock { state in
            state.configuration = configuration
            state.memoryManager = manager
            state.own = own
        }
        try initialize()
    }

    deinit {
        end.begin()
        defer { end.end() }
        let state = state.withLock { $0 }
        if state.isInitialized, let finalize = library.finalize {
            _ = try? ErrorObject.check(finalize(state.own))
        }
        for handle in [state.configuration] { _ = try? Handles.take(handle, as: MessageObject.self, "") }
        _ = try? Handles.take(state.memoryManager, as: MemoryManagerObject.self, "")
        _ = try? Handles.take(state.own, as: BackendReference.self, "")
    }

    private func initialize() throws(HalcyonError) {
        state.withLock { $0.isInitializing = true }
        defer { state.withLock { $0.isInitializing = false } }
        do throws(HalcyonError) {
            try ErrorObject.check(library.initialize?(handle))
            state.withLock { $0.isInitialized = true }
            if let attributes = library.attributes {
                let attribute = try Handles.give(BackendAttributeObject(self))
                defer { _ = try? Handles.take(attribute, as: BackendAttributeObject.self, "") }
                try ErrorObject.check(attributes(handle, attribute))
            }
        } catch {
            throw error.prefixed("the backend '\(nameText)' (\(library.path)) can't be used: ")
        }
    }

    var handle: OpaquePointer? { state.withLock { $0.own } }
    var configuration: OpaquePointer? { state.withLock { $0.configuration } }
    var memoryManager: OpaquePointer? { state.withLock { $0.memoryManager } }

    var userState: UnsafeMutableRawPointer? {
        get { UnsafeMutableRawPointer(bitPattern: state.withLock { $0.userState }) }
        set { state.withLock { $0.userState = UInt(bitPattern: newValue) } }
    }

    var policy: TRITONBACKEND_ExecutionPolicy {
        TRITONBACKEND_ExecutionPolicy(rawValue: state.withLock { $0.policy })
    }

    /// - Throws: `unsupported` outside of `TRITONBACKEND_Initialize`.
    func setPolicy(_ policy: TRITONBACKEND_ExecutionPolicy) throws(HalcyonError) {
        guard [TRITONBACKEND_EXECUTION_BLOCKING, TRITONBACKEND_EXECUTION_DEVICE_BLOCKING].contains(policy) else {
            throw HalcyonError(.invalidArgument, "there is no execution policy \(policy.rawValue), expected 0 or 1")
        }
        try state.withLock { state throws(HalcyonError) in
            guard state.isInitializing else {
                throw HalcyonError(.unsupported, "the execution policy can be set in TRITONBACKEND_Initialize only")
            }
            state.policy = policy.rawValue
        }
    }

    func prefer(_ group: PreferredGroup) { state.withLock { $0.preferredGroups.append(group) } }
    var preferredGroups: [PreferredGroup] { state.withLock { $0.preferredGroups } }
    func setLoadsInParallel(_ isOn: Bool) { state.withLock { $0.loadsInParallel = isOn } }
    var loadsInParallel: Bool { state.withLock { $0.loadsInParallel } }
}

/// What a backend says of itself, while it is asked.
package final class BackendAttributeObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .backendAttribute }
    let backend: BackendObject
    init(_ backend: BackendObject) { self.backend = backend }
}

/// Memory for backends.
package final class MemoryManagerObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .memoryManager }
}

/// What the backend's pointer keeps: not the backend itself, whose end is up to its models.
package final class BackendReference: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .backend }
    private unowned(unsafe) let target: BackendObject
    init(_ target: BackendObject) { self.target = target }
    /// A library calls with it while its backend lives; a pointer that was given up is told as such.
    var backend: BackendObject { target }
}

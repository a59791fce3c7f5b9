internal import CTriton
internal import JSONText
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors
internal import Threads

/// An instance of a backend's model.
final class InstanceObject: @unchecked Sendable {

    private struct State {
        var userState: UInt = 0
        var own: OpaquePointer?
        var policy: OpaquePointer?
        var statistics: BatchStatisticsSink?
    }

    let name: CText
    let model: ModelObject
    let identity: InstanceIdentity
    private let state = Locked(State())

    init(_ identity: InstanceIdentity, of model: ModelObject) throws(HalcyonError) {
        self.identity = identity
        self.model = model
        name = CText(identity.name)
        let own = try Handles.give(InstanceReference(self))
        let policy = try MessageObject.give(Self.policy(of: identity))
        state.withLock { state in
            state.own = own
            state.policy = policy
        }
    }

    deinit {
        let state = state.withLock { $0 }
        _ = try? Handles.take(state.policy, as: MessageObject.self, "")
        _ = try? Handles.take(state.own, as: InstanceReference.self, "")
    }

    private static func policy(of identity: InstanceIdentity) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let policy = identity.hostPolicy {
            if !policy.cores.isEmpty {
                members.append(
                    .init("cpu-cores", .string(policy.cores.sorted().map(String.init).joined(separator: ","))))
            }
            if let node = policy.numaNode { members.append(.init("numa-node", .string(String(node)))) }
        }
        let name = identity.gpu.map { "gpu_\($0)" } ?? (identity.kind == .model ? "model" : "cpu")
        return .object([.init(name, .object(members))])
    }

    var handle: OpaquePointer? { state.withLock { $0.own } }
    var policy: OpaquePointer? { state.withLock { $0.policy } }

    var userState: UnsafeMutableRawPointer? {
        get { UnsafeMutableRawPointer(bitPattern: state.withLock { $0.userState }) }
        set { state.withLock { $0.userState = UInt(bitPattern: newValue) } }
    }

    /// Where what it executes is counted; `nil` before its first execution.
    var statistics: BatchStatisticsSink? {
        get { state.withLock { $0.statistics } }
        set { state.withLock { $0.statistics = newValue } }
    }

    var tritonKind: TRITONSERVER_InstanceGroupKind {
        switch identity.kind {
        case .auto, .cpu: identity.gpu == nil ? TRITONSERVER_INSTANCEGROUPKIND_CPU : TRITONSERVER_INSTANCEGROUPKIND_GPU
        case .gpu: TRITONSERVER_INSTANCEGROUPKIND_GPU
        case .model: TRITONSERVER_INSTANCEGROUPKIND_MODEL
        }
    }
}

/// What the instance's pointer keeps.
package final class InstanceReference: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .modelInstance }
    private unowned(unsafe) let target: InstanceObject
    init(_ target: InstanceObject) { self.target = target }
    var instance: InstanceObject { target }
}

internal import JSONText
internal import ModelConfigurations
package import ModelRuntime
package import Tensors

/// What the server says to a worker. Each is answered before the next is said.
package enum ControlRequest: Sendable {
    /// Which form the messages have. Both sides are the same program, as a rule.
    static let version: UInt32 = 2

    /// What a model is opened from.
    package struct Source: Hashable, Sendable {
        var backend = ""
        var modelName = ""
        var version: Int64 = 0
        /// In its JSON form.
        var configuration: [UInt8] = []
        var modelDirectory = ""
        var modelPath: String?
    }

    case hello(WorkerSettings)
    case open(Source)
    /// The complete configuration in its JSON form, the share of the processor, and the processors that the model's
    /// threads are kept to; none for all.
    case prepare(configuration: [UInt8], CPUPlan, processors: [Int])
    /// Makes an instance. The descriptor beside it is that of its socket.
    case make(InstanceIdentity)
    /// Asks whether the model, as it is prepared, will do for that share of the processor.
    case judge(CPUPlan)

    package func frame() throws(HalcyonError) -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .hello(let settings):
            writer.number(UInt8(1))
            writer.number(Self.version)
            settings.write(to: &writer)
        case .open(let source):
            writer.number(UInt8(2))
            writer.text(source.backend)
            writer.text(source.modelName)
            writer.number(source.version)
            writer.raw(source.configuration)
            writer.text(source.modelDirectory)
            writer.optional(source.modelPath) { $0.text($1) }
        case .prepare(let configuration, let plan, let processors):
            writer.number(UInt8(3))
            writer.raw(configuration)
            Self.write(plan, to: &writer)
            writer.list(processors) { $0.number(UInt32(clamping: $1)) }
        case .make(let identity):
            writer.number(UInt8(4))
            writer.text(identity.name)
            writer.text(identity.kind.rawValue)
            writer.optional(identity.gpu) { $0.number(UInt32(clamping: $1)) }
            writer.number(UInt32(clamping: identity.index))
            writer.number(UInt32(clamping: identity.group))
            writer.optional(identity.hostPolicy) { writer, policy in
                writer.list(policy.cores.sorted()) { $0.number(UInt32(clamping: $1)) }
                writer.optional(policy.numaNode) { $0.number(UInt32(clamping: $1)) }
            }
        case .judge(let plan):
            writer.number(UInt8(5))
            Self.write(plan, to: &writer)
        }
        return try writer.frame()
    }

    private static func write(_ plan: CPUPlan, to writer: inout WireWriter) {
        for count in [plan.instances, plan.streams, plan.threads] { writer.number(UInt32(clamping: count)) }
    }

    private static func plan(_ reader: inout WireReader) throws(ProtocolFault) -> CPUPlan {
        CPUPlan(
            instances: Int(try reader.number(UInt32.self)), streams: Int(try reader.number(UInt32.self)),
            threads: Int(try reader.number(UInt32.self)))
    }

    package init(_ body: TensorBuffer) throws(ProtocolFault) {
        var reader = WireReader(body)
        switch try reader.number(UInt8.self) {
        case 1:
            let version = try reader.number(UInt32.self)
            guard version == Self.version else {
                throw ProtocolFault(
                    "the server speaks version \(version) of the protocol, and this worker \(Self.version)")
            }
            self = .hello(try WorkerSettings.read(&reader))
        case 2:
            var source = Source()
            source.backend = try reader.text()
            source.modelName = try reader.text()
            source.version = try reader.number()
            source.configuration = try reader.raw()
            source.modelDirectory = try reader.text()
            source.modelPath = try reader.optional { reader throws(ProtocolFault) in try reader.text() }
            self = .open(source)
        case 3:
            let configuration = try reader.raw()
            let plan = try Self.plan(&reader)
            let processors = try reader.list { reader throws(ProtocolFault) in Int(try reader.number(UInt32.self)) }
            self = .prepare(configuration: configuration, plan, processors: processors)
        case 4: self = .make(try Self.identity(&reader))
        case 5: self = .judge(try Self.plan(&reader))
        case let other: throw ProtocolFault("no request to a worker has the number \(other)")
        }
        try reader.end()
    }

    private static func identity(_ reader: inout WireReader) throws(ProtocolFault) -> InstanceIdentity {
        let name = try reader.text()
        let kind = try reader.text()
        guard let known = InstanceGroup.Kind(rawValue: kind) else {
            throw ProtocolFault("no instance is of the kind '\(kind)'")
        }
        let gpu = try reader.optional { reader throws(ProtocolFault) in Int(try reader.number(UInt32.self)) }
        var identity = InstanceIdentity(
            name: name, kind: known, gpu: gpu, index: Int(try reader.number(UInt32.self)),
            group: Int(try reader.number(UInt32.self)))
        identity.hostPolicy = try reader.optional { reader throws(ProtocolFault) in
            let cores = try reader.list { reader throws(ProtocolFault) in Int(try reader.number(UInt32.self)) }
            let node = try reader.optional { reader throws(ProtocolFault) in Int(try reader.number(UInt32.self)) }
            return HostPolicy(cores: Set(cores), numaNode: node)
        }
        return identity
    }

    /// Descriptors that come with it.
    package var descriptorCount: Int { if case .make = self { 1 } else { 0 } }
}

package import Tensors

/// A piece of shared memory that one side tells the other of. Its descriptor goes beside the message, in the same
/// order.
package struct WireSegment: Hashable, Sendable {
    package var number: UInt64
    package var byteCount: Int

    func write(to writer: inout WireWriter) {
        writer.number(number)
        writer.number(UInt64(clamping: byteCount))
    }

    static func read(_ reader: inout WireReader) throws(ProtocolFault) -> WireSegment {
        WireSegment(number: try reader.number(), byteCount: try reader.count())
    }
}

/// What the server says to an instance.
package enum InstanceRequest: Sendable {
    /// A batch, or a request of a decoupled model.
    package struct Work: Sendable {
        /// The request's number at a decoupled instance; 0 for a batch.
        var number: UInt64 = 0
        var batchSize = 1
        var isWarmUp = false
        var id = ""
        var requestedOutputs: [String]?
        var inputs: [WireTensor] = []
        /// Memory with inputs that the worker does not know yet.
        var segments: [WireSegment] = []
        /// Memory with inputs that is gone.
        var forgotten: [UInt64] = []
        /// Memory with outputs that nobody reads any more.
        var released: [UInt64] = []
    }

    case execute(Work)
    /// Takes on a request of a decoupled model.
    case begin(Work)
    /// The caller of a request has gone.
    case cancel(UInt64)

    package func frame() throws(HalcyonError) -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .execute(let work):
            writer.number(UInt8(1))
            Self.write(work, to: &writer)
        case .begin(let work):
            writer.number(UInt8(2))
            Self.write(work, to: &writer)
        case .cancel(let number):
            writer.number(UInt8(3))
            writer.number(number)
        }
        return try writer.frame()
    }

    private static func write(_ work: Work, to writer: inout WireWriter) {
        writer.number(work.number)
        writer.number(UInt64(clamping: work.batchSize))
        writer.flag(work.isWarmUp)
        writer.text(work.id)
        writer.optional(work.requestedOutputs) { $0.list($1) { $0.text($1) } }
        writer.list(work.segments) { $1.write(to: &$0) }
        writer.list(work.forgotten) { $0.number($1) }
        writer.list(work.released) { $0.number($1) }
        writer.list(work.inputs) { $1.write(to: &$0) }
    }

    package init(_ body: TensorBuffer) throws(ProtocolFault) {
        var reader = WireReader(body)
        switch try reader.number(UInt8.self) {
        case 1: self = .execute(try Self.work(&reader))
        case 2: self = .begin(try Self.work(&reader))
        case 3: self = .cancel(try reader.number())
        case let other: throw ProtocolFault("no request to an instance has the number \(other)")
        }
        try reader.end()
    }

    private static func work(_ reader: inout WireReader) throws(ProtocolFault) -> Work {
        var work = Work()
        work.number = try reader.number()
        work.batchSize = try reader.count()
        work.isWarmUp = try reader.flag()
        work.id = try reader.text()
        work.requestedOutputs = try reader.optional { reader throws(ProtocolFault) in
            try reader.list { reader throws(ProtocolFault) in try reader.text() }
        }
        work.segments = try reader.list(WireSegment.read)
        work.forgotten = try reader.list { reader throws(ProtocolFault) in try reader.number() }
        work.released = try reader.list { reader throws(ProtocolFault) in try reader.number() }
        work.inputs = try reader.list(WireTensor.read)
        return work
    }

    /// Descriptors that come with it.
    package var descriptorCount: Int {
        switch self {
        case .execute(let work), .begin(let work): work.segments.count
        case .cancel: 0
        }
    }
}

/// What an instance answers.
package enum InstanceAnswer: Sendable {
    /// What a batch gave.
    package struct Outputs: Sendable {
        var tensors: [WireTensor] = []
        /// Memory with outputs that the server does not know yet.
        var segments: [WireSegment] = []
        /// Memory with outputs that is gone; nobody read it.
        var dropped: [UInt64] = []
        /// Nanoseconds for the inputs, for the execution and for the outputs, where the worker measured them.
        var input: UInt64 = 0
        var infer: UInt64 = 0
        var output: UInt64 = 0
    }

    case executed(Outputs)
    case failed(HalcyonError)
    /// A decoupled instance is free for the next request.
    case free
    /// A response to a request of a decoupled model.
    case response(UInt64, [WireTensor])
    /// The end of one.
    case ended(UInt64, HalcyonError?)

    package func frame() throws(HalcyonError) -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .executed(let outputs):
            writer.number(UInt8(1))
            writer.number(outputs.input)
            writer.number(outputs.infer)
            writer.number(outputs.output)
            writer.list(outputs.segments) { $1.write(to: &$0) }
            writer.list(outputs.dropped) { $0.number($1) }
            writer.list(outputs.tensors) { $1.write(to: &$0) }
        case .failed(let error):
            writer.number(UInt8(2))
            writer.error(error)
        case .free: writer.number(UInt8(3))
        case .response(let number, let tensors):
            writer.number(UInt8(4))
            writer.number(number)
            writer.list(tensors) { $1.write(to: &$0) }
        case .ended(let number, let error):
            writer.number(UInt8(5))
            writer.number(number)
            writer.optional(error) { $0.error($1) }
        }
        return try writer.frame()
    }

    package init(_ body: TensorBuffer) throws(ProtocolFault) {
        var reader = WireReader(body)
        switch try reader.number(UInt8.self) {
        case 1:
            var outputs = Outputs()
            outputs.input = try reader.number()
            outputs.infer = try reader.number()
            outputs.output = try reader.number()
            outputs.segments = try reader.list(WireSegment.read)
            outputs.dropped = try reader.list { reader throws(ProtocolFault) in try reader.number() }
            outputs.tensors = try reader.list(WireTensor.read)
            self = .executed(outputs)
        case 2: self = .failed(try reader.error())
        case 3: self = .free
        case 4: self = .response(try reader.number(), try reader.list(WireTensor.read))
        case 5:
            let number = try reader.number(UInt64.self)
            self = .ended(number, try reader.optional { reader throws(ProtocolFault) in try reader.error() })
        case let other: throw ProtocolFault("no answer of an instance has the number \(other)")
        }
        try reader.end()
    }

    /// Descriptors that come with it.
    package var descriptorCount: Int { if case .executed(let outputs) = self { outputs.segments.count } else { 0 } }
}

import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@testable import ModelIsolation

@Suite("The messages between a server and its workers")
struct ProtocolTests {
    private static func body(_ frame: [UInt8]) throws -> TensorBuffer {
        var splitter = FrameSplitter()
        frame.withUnsafeBytes { splitter.take($0) }
        return try #require(try splitter.next())
    }

    private static func work() throws -> InstanceRequest.Work {
        var work = InstanceRequest.Work()
        work.number = 7
        work.batchSize = 3
        work.isWarmUp = true
        work.id = "ä"
        work.requestedOutputs = ["A", "B"]
        work.inputs = [
            WireTensor(name: "X", elementType: .fp32, shape: [2], place: .here(TensorBuffer(copying: [Float(1), 2]))),
            WireTensor(
                name: "Y", elementType: .uint8, shape: [3, 1], place: .segment(number: 9, offset: 64, byteCount: 3)),
        ]
        work.segments = [WireSegment(number: 9, byteCount: 4096)]
        work.forgotten = [1, 2]
        work.released = [3]
        return work
    }

    /// One of each kind.
    private static func frames() throws -> [(name: String, frame: [UInt8], again: (TensorBuffer) throws -> [UInt8])] {
        var settings = WorkerSettings()
        settings.engineDirectories = ["openvino": ["/a", "/b"]]
        settings.backendDirectory = "/backends"
        settings.backendConfiguration = ["openvino": ["CACHE_DIR": "/c"]]
        settings.processors = [0, 3]
        settings.sandbox = WorkerSettings.SandboxPaths()
        settings.sandbox?.readable = ["/usr"]
        var identity = InstanceIdentity(name: "m_0", kind: .gpu, gpu: 1, index: 2, group: 1)
        identity.hostPolicy = HostPolicy(cores: [1, 2], numaNode: 0)
        var source = ControlRequest.Source()
        source.backend = "identity"
        source.modelPath = "/m/1/model.onnx"
        var traits = ControlAnswer.Traits()
        traits.signature = ModelSignature(
            inputs: [.init(name: "I", elementType: .fp16, shape: [-1, 3], isOptional: true)],
            outputs: [.init(name: "O", elementType: .bytes, shape: nil)])
        traits.fixedBatchSize = 4
        traits.outputsLikeInputs = ["O": "I"]
        traits.properties = [.init(name: "a", value: "b")]
        var outputs = InstanceAnswer.Outputs()
        outputs.tensors = try work().inputs
        outputs.segments = [WireSegment(number: 1, byteCount: 8192)]
        outputs.dropped = [4]
        outputs.infer = 12
        let requests: [ControlRequest] = [
            .hello(settings), .open(source),
            .prepare(configuration: [1, 2], CPUPlan(instances: 1, streams: 2, threads: 3), processors: [1]),
            .make(identity), .judge(CPUPlan(instances: 3, streams: 1, threads: 2)),
        ]
        let answers: [ControlAnswer] = [
            .welcome(lacking: ["x"]), .model(traits), .made(isDecoupled: true),
            .judged(true), .failed(HalcyonError(.notFound, "no")),
            .log(.init(level: "info", message: "m", metadata: ["k": "v"])),
        ]
        let calls: [InstanceRequest] = [.execute(try work()), .begin(try work()), .cancel(5)]
        let returns: [InstanceAnswer] = [
            .executed(outputs), .failed(HalcyonError(.internal, "e")), .free, .response(3, try work().inputs),
            .ended(3, nil), .ended(4, HalcyonError(.cancelled, "c")),
        ]
        return try requests.map { ("\($0)", try $0.frame(), { try ControlRequest($0).frame() }) }
            + answers.map { ("\($0)", try $0.frame(), { try ControlAnswer($0).frame() }) }
            + calls.map { ("\($0)", try $0.frame(), { try InstanceRequest($0).frame() }) }
            + returns.map { ("\($0)", try $0.frame(), { try InstanceAnswer($0).frame() }) }
    }

    @Test("Each is read as what was written, and none that lacks an end or has more than one")
    func roundTrip() throws {
        for (name, frame, again) in try Self.frames() {
            let body = try Self.body(frame)
            #expect(try again(body) == frame, "\(name)")
            for count in 0..<body.byteCount {
                let cut = try body.slice(offset: 0, byteCount: count)
                #expect(throws: ProtocolFault.self, "\(name), \(count) bytes") { _ = try again(cut) }
            }
            let longer = TensorBuffer(copying: body.withUnsafeBytes { Array($0) } + [0])
            #expect(throws: ProtocolFault.self, "\(name)") { _ = try again(longer) }
        }
    }

    @Test("Damage in any byte is read as something, or refused, and never ends the process")
    func damage() throws {
        for (_, frame, again) in try Self.frames() {
            let whole = try Self.body(frame).withUnsafeBytes { Array($0) }
            for index in whole.indices {
                for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                    var damaged = whole
                    damaged[index] = value
                    _ = try? again(TensorBuffer(copying: damaged))
                }
            }
        }
    }

    @Test("A tensor whose bytes are not those of its shape is refused")
    func tensorSizes() throws {
        for shape: TensorShape in [[3], [-1], [Int.max, 2]] {
            var work = InstanceRequest.Work()
            work.inputs = [
                WireTensor(
                    name: "X", elementType: .fp32, shape: shape, place: .segment(number: 1, offset: 0, byteCount: 8))
            ]
            let frame = try InstanceRequest.execute(work).frame()
            #expect(throws: ProtocolFault.self) { _ = try InstanceRequest(try Self.body(frame)) }
        }
    }

    @Test("A server of another version is refused in words")
    func version() throws {
        var frame = try ControlRequest.hello(WorkerSettings()).frame()
        frame[5] = 99
        let fault = #expect(throws: ProtocolFault.self) { _ = try ControlRequest(try Self.body(frame)) }
        #expect(fault?.description.contains("version 99") == true)
    }

    @Test("Frames come whole, however they are cut, and lengths beyond the limit are refused")
    func splitting() throws {
        let frames = try [InstanceAnswer.free.frame(), InstanceRequest.execute(Self.work()).frame()]
        var splitter = FrameSplitter()
        var bodies: [[UInt8]] = []
        for byte in frames.joined() {
            if let room = splitter.room() {
                room[0] = byte
                splitter.filled(1)
            } else {
                withUnsafeBytes(of: byte) { splitter.take($0) }
            }
            while let body = try splitter.next() { bodies.append(body.withUnsafeBytes { Array($0) }) }
        }
        #expect(bodies == frames.map { Array($0.dropFirst(4)) })
        for length: [UInt8] in [[0, 0, 0, 0], [1, 1, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]] {
            var splitter = FrameSplitter(limit: 256)
            length.withUnsafeBytes { splitter.take($0) }
            #expect(throws: ProtocolFault.self) { _ = try splitter.next() }
        }
    }
}

import CPlatform
import Glibc
import HalcyonTestKit
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import ModelIsolation

@Suite("Workers that break the rules")
struct HostileTests {
    /// A worker that makes its model and instance as it should, and answers each batch as a test says.
    private static func launcher(
        _ answer: @escaping @Sendable (FrameChannel, InstanceRequest) throws -> Void
    ) -> ThreadLauncher {
        ThreadLauncher { control in
            while let body = try? control.receive(), let request = try? ControlRequest(body) {
                switch request {
                case .hello: try? control.send(ControlAnswer.welcome(lacking: []).frame())
                case .open, .prepare: try? control.send(ControlAnswer.model(.init()).frame())
                case .make:
                    guard let descriptor = try? control.takeDescriptors(1).first else { return }
                    let channel = FrameChannel(descriptor)
                    try? WorkerThread.detach(name: "hostile") {
                        while let body = try? channel.receive(), let request = try? InstanceRequest(body),
                            let descriptors = try? channel.takeDescriptors(request.descriptorCount)
                        {
                            for descriptor in descriptors { close(descriptor) }
                            try? answer(channel, request)
                        }
                    }
                    try? control.send(ControlAnswer.made(isDecoupled: false).frame())
                case .judge: try? control.send(ControlAnswer.judged(true).frame())
                }
            }
        }
    }

    private static func error(
        limit: UInt64 = 0, _ answer: @escaping @Sendable (FrameChannel, InstanceRequest) throws -> Void
    ) throws -> HalcyonError {
        let backend = ScriptedBackend(script: ScriptedBackend.echo())
        let model = try Fixture.model(launcher(answer), wrapping: backend) { $0.executionLimit = limit }
        let instance = try model.makeInstance(Fixture.identity)
        return try #require(Fixture.error { _ = try Fixture.run(instance, [1]) })
    }

    private static func tensor(_ place: WireTensor.Place, type: ElementType = .fp32) -> WireTensor {
        WireTensor(name: "OUT", elementType: type, shape: [1, 1], place: place)
    }

    @Test("An output outside its memory, or in none, ends the worker and not the server")
    func outside() throws {
        let places: [WireTensor.Place] = [
            .segment(number: 1, offset: 1 << 20, byteCount: 4), .segment(number: 1, offset: 8_190, byteCount: 4),
            .segment(number: 1, offset: Int.max, byteCount: 4), .segment(number: 2, offset: 0, byteCount: 4),
        ]
        for place in places {
            let error = try Self.error { channel, _ in
                let memory = try SharedSegment.make(byteCount: 4_096)
                var outputs = InstanceAnswer.Outputs()
                outputs.tensors = [Self.tensor(place)]
                outputs.segments = [WireSegment(number: 1, byteCount: memory.byteCount)]
                try channel.send(InstanceAnswer.executed(outputs).frame(), [memory.descriptor])
                withExtendedLifetime(memory) {}
            }
            #expect(error.message.contains("broke the rules between them"), "\(place): \(error)")
        }
    }

    @Test("Memory whose size is not fixed, or is another, is not taken")
    func unsealed() throws {
        let error = try Self.error { channel, _ in
            let descriptor = halcyon_memory_make(4_096)
            var outputs = InstanceAnswer.Outputs()
            outputs.segments = [WireSegment(number: 1, byteCount: 4_096)]
            try channel.send(InstanceAnswer.executed(outputs).frame(), [descriptor])
            close(descriptor)
        }
        #expect(error.message.contains("its size is not fixed"))
        let missing = try Self.error { channel, _ in
            var outputs = InstanceAnswer.Outputs()
            outputs.segments = [WireSegment(number: 1, byteCount: 4_096)]
            try channel.send(InstanceAnswer.executed(outputs).frame())
        }
        #expect(missing.message.contains("1 descriptors should have come, and 0 did"))
    }

    @Test("A length that is nobody's, an answer that is none, and texts without an end are refused")
    func nonsense() throws {
        let frames: [[UInt8]] = try [
            [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [1, 0, 0, 0, 99], InstanceAnswer.free.frame(),
            InstanceAnswer.executed(
                {
                    var outputs = InstanceAnswer.Outputs()
                    outputs.tensors = [
                        Self.tensor(.here(TensorBuffer(copying: [UInt8](repeating: 0xFF, count: 8))), type: .bytes)
                    ]
                    return outputs
                }()
            ).frame(),
        ]
        for frame in frames {
            let error = try Self.error { channel, _ in try channel.send(frame) }
            #expect(error.message.contains("broke the rules between them"), "\(frame)")
        }
    }

    @Test("Silence, and a message without an end, last as long as an execution may")
    func silence() throws {
        let silent = try Self.error(limit: 20_000_000) { _, _ in }
        #expect(silent.message.contains("had not answered for 20 ms"))
        let endless = try Self.error(limit: 20_000_000) { channel, _ in try channel.send([0, 0, 0, 1, 1]) }
        #expect(endless.message.contains("had not answered for 20 ms"))
    }

    @Test("A worker that closes its channel while it lives is ended")
    func closing() throws {
        let error = try Self.error { channel, _ in channel.shut() }
        #expect(error.message.contains("it closed an instance's channel"))
    }
}

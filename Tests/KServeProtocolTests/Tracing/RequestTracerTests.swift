import Foundation
import HalcyonTestKit
import InMemoryTracing
import JSONText
import Logging
import ModelRuntime
import Tensors
import Testing
import Tracing

@testable import KServeProtocol

@Suite struct RequestTracerTests {
    private static let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func settings(_ change: (inout TraceSettings) -> Void) -> TraceSettings {
        var settings = TraceSettings()
        settings.levels = .timestamps
        settings.rate = 1
        settings.file = "unused"
        change(&settings)
        return settings
    }

    private static func tracer(
        _ tracer: (any Tracer)? = nil, _ change: (inout TraceSettings) -> Void
    ) throws -> RequestTracer {
        try RequestTracer(settings(change), tracer: tracer, isChangeAllowed: true, log: log)
    }

    private static func trace(_ tracer: RequestTracer, _ model: String = "m") -> Bool {
        tracer.trace(model, header: { _ in nil }) != nil
    }

    // MARK: Sampling

    @Test func takesOneInSoMany() throws {
        let folder = try TemporaryFolder.make()
        let tracer = try Self.tracer {
            $0.file = folder.path + "/t"
            $0.rate = 3
        }
        #expect(
            (0..<9).map { _ in Self.trace(tracer) } == [false, false, true, false, false, true, false, false, true])
        tracer.close()
    }

    @Test func endsWithTheCountAndSaysHowManyAreLeft() throws {
        let folder = try TemporaryFolder.make()
        let tracer = try Self.tracer {
            $0.file = folder.path + "/t"
            $0.count = 2
        }
        #expect((0..<4).map { _ in Self.trace(tracer) } == [true, true, false, false])
        #expect(tracer.settings(nil).count == 0)
        tracer.close()
    }

    @Test func offIsOff() throws {
        let tracer = try Self.tracer { $0.levels = [] }
        #expect(!Self.trace(tracer))
    }

    @Test func refusesWhatCanNotBe() {
        #expect(throws: HalcyonError.self) { try Self.tracer { $0.file = "" } }
        #expect(throws: HalcyonError.self) { try Self.tracer { $0.rate = 0 } }
    }

    // MARK: Settings

    @Test func aModelTakesFromAllWhatItDoesNotSay() throws {
        let tracer = try Self.tracer { $0.levels = [] }
        try tracer.change("m", TraceChange(["trace_rate": ["7"]]))
        #expect(tracer.settings("m").rate == 7)
        #expect(tracer.settings("other").rate == 1)
        try tracer.change(nil, TraceChange(["trace_level": ["TENSORS"], "trace_rate": ["9"]]))
        #expect(tracer.settings("m").levels == .tensors)
        #expect(tracer.settings("m").rate == 7)
        try tracer.change("m", TraceChange(["trace_rate": []]))
        #expect(tracer.settings("m").rate == 9)
        try tracer.change(nil, TraceChange(["trace_rate": [], "trace_level": []]))
        #expect(tracer.settings("m") == tracer.settings(nil))
        #expect(tracer.settings(nil).rate == 1)
        #expect(tracer.settings(nil).levels == [])
    }

    @Test func aChangeThatTracesNothingIsRefusedAndChangesNothing() throws {
        let tracer = try Self.tracer { _ in }
        #expect(
            throws: HalcyonError(
                .invalidArgument, "Attempting to set invalid trace setting :sample rate must be non-zero")
        ) {
            try tracer.change(nil, TraceChange(["trace_rate": ["0"]]))
        }
        #expect(tracer.settings(nil).rate == 1)
    }

    @Test func clientsMayOnlyWhereAllowed() throws {
        let tracer = try RequestTracer(Self.settings { _ in }, isChangeAllowed: false, log: Self.log)
        #expect(throws: HalcyonError.self) { try tracer.change(nil, TraceChange(["trace_rate": ["2"]])) }
        try tracer.change(nil, TraceChange())
    }

    // MARK: Files

    private static func run(_ tracer: RequestTracer, id: String) {
        guard let trace = tracer.trace("m", header: { _ in nil }) else { return }
        trace.began(model: "m", version: 2, requestID: id)
        trace.reached(.queueStart, at: 5)
    }

    @Test func writesTheReferencesDocument() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/trace.json"
        let tracer = try Self.tracer { $0.file = path }
        Self.run(tracer, id: "a")
        Self.run(tracer, id: "")
        tracer.close()
        #expect(
            try String(contentsOfFile: path, encoding: .utf8) == """
                [{"id":1,"model_name":"m","model_version":2,"request_id":"a"},\
                {"id":1,"timestamps":[{"name":"QUEUE_START","ns":5}]},\
                {"id":2,"model_name":"m","model_version":2},\
                {"id":2,"timestamps":[{"name":"QUEUE_START","ns":5}]}]

                """)
    }

    @Test func numbersFilesByTheFrequency() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/trace.json"
        let tracer = try Self.tracer {
            $0.file = path
            $0.logFrequency = 2
        }
        for _ in 0..<5 { Self.run(tracer, id: "") }
        tracer.close()
        let counts = try (0..<3).map {
            try String(contentsOfFile: "\(path).\($0)", encoding: .utf8).components(separatedBy: "model_name").count - 1
        }
        #expect(counts == [2, 2, 1])
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func writesWhenTheCountIsReached() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/trace.json"
        let tracer = try Self.tracer {
            $0.file = path
            $0.count = 3
        }
        for _ in 0..<5 { Self.run(tracer, id: "") }
        tracer.close()
        let text = try String(contentsOfFile: path + ".0", encoding: .utf8)
        #expect(text.components(separatedBy: "model_name").count - 1 == 3)
    }

    @Test func showsTensors() throws {
        let tensor = try Tensor(name: "x", shape: [1, 2], [1.5, -2] as [Float])
        #expect(
            String(decoding: TraceJSON.tensor(tensor), as: UTF8.self)
                == #"{"name":"x","data":"1.5,-2.0","shape":"1,2","dtype":"FP32"}"#)
    }

    // MARK: Spans

    @Test func spansShowTheStages() throws {
        let memory = InMemoryTracer()
        let tracer = try Self.tracer(memory) { $0.mode = .opentelemetry }
        do {
            let trace = try #require(tracer.trace("m", header: { _ in nil }))
            trace.reached(.httpReceiveStart, at: 10)
            trace.reached(.httpReceiveEnd, at: 20)
            trace.began(model: "m", version: 2, requestID: "id")
            for (point, time) in [
                (.requestStart, 30), (.queueStart, 30), (.computeStart, 50), (.computeInputEnd, 60),
                (.computeOutputStart, 70), (.computeEnd, 80), (.requestEnd, 90), (.httpSendStart, 95),
                (.httpSendEnd, 99),
            ] as [(TracePoint, UInt64)] {
                trace.reached(point, at: time)
            }
        }
        let spans = memory.finishedSpans
        func span(_ name: String) throws -> FinishedInMemorySpan {
            try #require(spans.first { $0.operationName == name })
        }
        func times(_ name: String) throws -> [UInt64] {
            let (span, root) = (try span(name), try self.start(spans))
            return [
                span.startInstant.nanosecondsSinceEpoch - root, span.endInstant.nanosecondsSinceEpoch - root,
            ]
        }
        #expect(spans.count == 6)
        #expect(try times("InferRequest") == [0, 89])
        #expect(try times("parse") == [10, 20])
        #expect(try times("m") == [20, 80])
        #expect(try times("queue") == [20, 40])
        #expect(try times("compute") == [40, 70])
        #expect(try times("serialize") == [85, 89])
        #expect(try span("queue").parentSpanID == span("m").spanID)
        #expect(try span("compute").parentSpanID == span("m").spanID)
        #expect(try span("m").parentSpanID == span("InferRequest").spanID)
        #expect(try span("compute").events.map(\.name) == ["COMPUTE_INPUT_END", "COMPUTE_OUTPUT_START"])
    }

    private func start(_ spans: [FinishedInMemorySpan]) throws -> UInt64 {
        try #require(spans.first { $0.operationName == "InferRequest" }).startInstant.nanosecondsSinceEpoch
    }

    @Test func anErrorIsOnTheSpan() throws {
        let memory = InMemoryTracer()
        let tracer = try Self.tracer(memory) { $0.mode = .opentelemetry }
        do {
            let trace = try #require(tracer.trace("m", header: { _ in nil }))
            trace.reached(.httpReceiveStart, at: 10)
            trace.failed(HalcyonError(.unavailable, "too much to do"))
        }
        let root = try #require(memory.finishedSpans.first)
        #expect(root.status?.message == "too much to do")
        #expect(root.errors.count == 1)
    }
}

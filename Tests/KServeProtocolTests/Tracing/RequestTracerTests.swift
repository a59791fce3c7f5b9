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

    @Test func isADocumentWhileItGrows() throws {
        let folder = try TemporaryFolder.make()
        var document = TraceDocument(path: folder.path + "/t")
        for index in 0..<3 {
            let failure = document.append(Array("{\"id\":\(index)}".utf8))
            #expect(failure == 0)
            let text = try String(contentsOfFile: document.path, encoding: .utf8)
            #expect(text == "[" + (0...index).map { "{\"id\":\($0)}" }.joined(separator: ",") + "]")
        }
        document.close(as: document.path + ".end")
        #expect(try String(contentsOfFile: folder.path + "/t.end", encoding: .utf8).hasSuffix("]\n"))
    }

    @Test func aFullDiskLeavesADocument() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/t"
        // Every write to this device fails as on a full disk.
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
        var document = TraceDocument(path: path)
        let failure = document.append(Array("{}".utf8))
        #expect(failure == ENOSPC)
        // What is no file of its own is left alone.
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/full")
        try FileManager.default.removeItem(atPath: path)
        let later = document.append(Array("{}".utf8))
        #expect(later == 0)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "[{}]")
    }

    @Test func tracesAreWrittenAsTheyEnd() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/trace.json"
        let tracer = try Self.tracer {
            $0.file = path
            $0.count = 1_000_000
        }
        for _ in 0..<5 { Self.run(tracer, id: "") }
        tracer.close()
        // The count was not reached: it is the file of the settings.
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.components(separatedBy: "model_name").count - 1 == 5)
    }

    @Test func tensorsCountUntilTheyAreWritten() throws {
        let folder = try TemporaryFolder.make()
        let budget = ByteBudget(maximum: 100)
        let tracer = try RequestTracer(
            Self.settings {
                $0.file = folder.path + "/t"
                $0.levels = .tensors
            }, isChangeAllowed: true, budget: budget, log: Self.log)
        let tensor = try Tensor(name: "x", shape: [20], Array(repeating: 0 as Float, count: 20))
        do {
            let trace = try #require(tracer.trace("m", header: { _ in nil }))
            trace.saw(tensor, as: .queueInput)
            trace.saw(tensor, as: .backendOutput)
            #expect(budget.usedBytes == 80)
        }
        tracer.close()
        #expect(budget.usedBytes == 0)
        let text = try String(contentsOfFile: folder.path + "/t", encoding: .utf8)
        #expect(text.components(separatedBy: "\"tensor\"").count - 1 == 1)
    }

    @Test func showsTensors() throws {
        let tensor = try Tensor(name: "x", shape: [1, 2], [1.5, -2] as [Float])
        #expect(
            String(decoding: TraceJSON.tensor(tensor), as: UTF8.self)
                == #"{"name":"x","data":"1.5,-2.0","shape":"1,2","dtype":"FP32"}"#)
    }

    // MARK: Spans

    private static func run(_ trace: any RequestTrace, model: String, from start: UInt64, isExecuted: Bool = true) {
        trace.began(model: model, version: 2, requestID: "id")
        trace.reached(.requestStart, at: start)
        trace.reached(.queueStart, at: start)
        guard isExecuted else { return }
        trace.reached(.computeStart, at: start + 20)
        trace.reached(.computeInputEnd, at: start + 30)
        trace.reached(.computeOutputStart, at: start + 40)
        trace.reached(.computeEnd, at: start + 50)
        trace.reached(.responseComplete, at: start + 60)
        trace.reached(.requestEnd, at: start + 60)
    }

    private static func span(_ name: String, of memory: InMemoryTracer) throws -> FinishedInMemorySpan {
        try #require(memory.finishedSpans.first { $0.operationName == name })
    }

    @Test(arguments: [
        [TracePoint.httpReceiveStart, .httpReceiveEnd, .httpSendStart, .httpSendEnd],
        [.grpcReceiveStart, .grpcReceiveEnd, .grpcSendStart, .grpcSendEnd],
    ])
    func threeSpansHaveAllPointsAsEvents(frontend: [TracePoint]) throws {
        let memory = InMemoryTracer()
        let tracer = try Self.tracer(memory) { $0.mode = .opentelemetry }
        do {
            let trace = try #require(tracer.trace("m", header: { _ in nil }))
            trace.reached(frontend[0], at: 10)
            trace.reached(frontend[1], at: 20)
            Self.run(trace, model: "m", from: 30)
            trace.reached(frontend[2], at: 95)
            trace.reached(frontend[3], at: 99)
        }
        let start = try self.start(memory.finishedSpans)
        func times(_ name: String) throws -> [UInt64] {
            let span = try Self.span(name, of: memory)
            return [span.startInstant, span.endInstant].map { $0.nanosecondsSinceEpoch - start }
        }
        func events(_ name: String) throws -> [String] { try Self.span(name, of: memory).events.map(\.name) }
        #expect(memory.finishedSpans.count == 3)
        #expect(try times("InferRequest") == [0, 89])
        #expect(try times("m") == [20, 80])
        #expect(try times("compute") == [40, 70])
        #expect(
            try events("InferRequest")
                == [frontend[0].rawValue, frontend[1].rawValue, "INFER_RESPONSE_COMPLETE"]
                + frontend[2...].map(\.rawValue))
        #expect(try events("m") == ["REQUEST_START", "QUEUE_START", "REQUEST_END"])
        #expect(
            try events("compute") == ["COMPUTE_START", "COMPUTE_INPUT_END", "COMPUTE_OUTPUT_START", "COMPUTE_END"])
        #expect(try Self.span("compute", of: memory).parentSpanID == Self.span("m", of: memory).spanID)
        #expect(try Self.span("m", of: memory).parentSpanID == Self.span("InferRequest", of: memory).spanID)
    }

    /// A request to an ensemble with one step.
    private static func runEnsemble(_ trace: Trace) {
        trace.reached(.httpReceiveStart, at: 10)
        run(trace, model: "whole", from: 20, isExecuted: false)
        run(trace.step(), model: "part", from: 30)
        trace.reached(.responseComplete, at: 95)
        trace.reached(.requestEnd, at: 95)
    }

    @Test func aStepHasItsSpansBelowThatOfItsEnsemble() throws {
        let memory = InMemoryTracer()
        let tracer = try Self.tracer(memory) { $0.mode = .opentelemetry }
        do { Self.runEnsemble(try #require(tracer.trace("whole", header: { _ in nil }))) }
        #expect(memory.finishedSpans.count == 4)
        let (whole, part) = (try Self.span("whole", of: memory), try Self.span("part", of: memory))
        #expect(try whole.parentSpanID == Self.span("InferRequest", of: memory).spanID)
        #expect(part.parentSpanID == whole.spanID)
        #expect(try Self.span("compute", of: memory).parentSpanID == part.spanID)
        #expect(
            try Self.span("InferRequest", of: memory).events.map(\.name)
                == ["HTTP_RECV_START", "INFER_RESPONSE_COMPLETE"])
        #expect(part.attributes["triton.trace_id"]?.toSpanAttribute() == .int64(2))
        #expect(part.attributes["triton.trace_parent_id"]?.toSpanAttribute() == .int64(1))
        #expect(whole.attributes["triton.trace_parent_id"]?.toSpanAttribute() == .int64(0))
    }

    @Test func aStepIsATraceOfItsOwnInTheFile() throws {
        let folder = try TemporaryFolder.make()
        let path = folder.path + "/trace.json"
        let tracer = try Self.tracer { $0.file = path }
        do { Self.runEnsemble(try #require(tracer.trace("whole", header: { _ in nil }))) }
        tracer.close()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(#"{"id":1,"model_name":"whole","model_version":2,"request_id":"id"}"#))
        #expect(text.contains(#"{"id":2,"model_name":"part","model_version":2,"request_id":"id","parent_id":1}"#))
        #expect(text.contains(#"{"id":2,"timestamps":[{"name":"COMPUTE_START","ns":50}]}"#))
        #expect(!text.contains(#"{"id":2,"timestamps":[{"name":"INFER_RESPONSE_COMPLETE""#))
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

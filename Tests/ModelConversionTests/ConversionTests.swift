import CompiledModels
import Foundation
import HalcyonTestKit
import JSONText
import Tensors
import Testing

@testable import ModelConversion

/// Whole conversions, with a program in the converter's place that does what each test needs.
struct ConversionTests {
    private let folder: URL
    private let model: String
    private let console = CollectingConsole()

    init() throws {
        folder = try TemporaryFolder.make()
        model = folder.appendingPathComponent("net.onnx").path
        try Data(Proto.model(inputs: [("x", [-1, 3, 8, 8])])).write(to: URL(fileURLWithPath: model))
    }

    private var place: String { folder.appendingPathComponent("repository/net").path }

    @discardableResult
    private func convert(
        _ fake: FakePython, interrupts: Interrupts = .none, _ change: (inout ConversionRequest) -> Void = { _ in }
    ) throws -> [String] {
        var request = ConversionRequest(model: model)
        request.outputModel = place
        change(&request)
        return try Conversion(
            ConversionJob(request), options: fake.options(), console: console.console, interrupts: interrupts
        ).run()
    }

    private func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    // MARK: What is written

    @Test func `A model's folder has its version and a configuration`() throws {
        let lines = try convert(FakePython())
        #expect(names(folder.appendingPathComponent("repository").path) == ["net"])
        #expect(names(place) == ["1", "config.pbtxt"])
        #expect(names(place + "/1") == ["model.bin", "model.xml"])
        let configuration = try #require(text(place + "/config.pbtxt"))
        #expect(configuration.contains("backend: \"openvino\""))
        #expect(configuration.contains("max_batch_size: 4"))
        #expect(configuration.contains("format: FORMAT_NCHW"))
        // An output without dimensions of its own.
        #expect(configuration.contains("reshape { }"))
        #expect(lines.contains { $0.contains(place) })
        #expect(console.text.contains("reading the model: done in "))
        #expect(console.text.contains("a notice"))
    }

    @Test func `A version's folder is replaced in one step where that was asked for`() throws {
        let version = place + "/7"
        try FileManager.default.createDirectory(atPath: version, withIntermediateDirectories: true)
        try Data("old".utf8).write(to: URL(fileURLWithPath: version + "/model.onnx"))
        try convert(FakePython()) {
            $0.outputModel = nil
            $0.outputVersion = version
            $0.overwrites = true
        }
        #expect(names(version) == ["model.bin", "model.xml"])
        #expect(names(place) == ["7"])
    }

    @Test func `A file takes the place of the one before, and a compiled model of that one goes`() throws {
        let parent = folder.appendingPathComponent("1").path
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        for name in ["model.xml", "model.bin", "model.blob", "model.blob.json", "README.md"] {
            try Data("old".utf8).write(to: URL(fileURLWithPath: parent + "/" + name))
        }
        try convert(FakePython()) {
            $0.outputModel = nil
            $0.outputFile = parent + "/model.xml"
            $0.overwrites = true
        }
        #expect(names(parent) == ["README.md", "model.bin", "model.xml"])
        #expect(text(parent + "/model.xml") == "graph\n")
        #expect(text(parent + "/model.bin") == "weights\n")
    }

    @Test func `A compiled model gets a stamp for this machine`() throws {
        let worker = """
            echo graph > "$OUT/model.xml"; echo weights > "$OUT/model.bin"; echo compiled > "$OUT/model.blob"
            echo '\(FakePython.result(
                files: "\"model.xml\",\"model.bin\",\"model.blob\"",
                more: ",\"compiled\": {\"openvino\": \"2026.4.1-build\", \"device\": \"CPU\"}"))'
            """
        try convert(FakePython(worker: worker)) { $0.isCompiled = true }
        let blob = place + "/1/model.blob"
        let stamp = try CompiledModelStamp(besideBlob: blob)
        #expect(stamp.engineVersion == "2026.4.1-build")
        #expect(stamp.processor == .current)
        #expect(stamp.blob == (try FileChecksum(ofFile: blob)))
        #expect(stamp.sources.keys.sorted() == ["model.bin", "model.xml"])
    }

    @Test func `Parameters of the engine are in the configuration, or are said`() throws {
        let worker = """
            echo graph > "$OUT/model.xml"
            echo '\(FakePython.result(
                files: "\"model.xml\"", more: ",\"engine_parameters\": {\"INFERENCE_PRECISION_HINT\": \"bf16\"}"))'
            """
        let fake = try FakePython(worker: worker)
        try convert(fake)
        #expect(text(place + "/config.pbtxt")?.contains("string_value: \"bf16\"") == true)
        let lines = try convert(fake) {
            $0.outputModel = nil
            $0.outputFile = folder.path + "/model.xml"
        }
        #expect(lines.contains { $0.contains("INFERENCE_PRECISION_HINT") })
    }

    // MARK: What goes wrong leaves nothing

    /// Nothing but the model that was there before.
    private func expectNothing() { #expect(names(folder.path) == ["net.onnx"]) }

    @Test func `An error of the converter is the command's`() throws {
        let fake = try FakePython(
            worker: """
                echo half > "$OUT/model.xml"
                echo '{"error": {"code": "unsupported", "message": "the operation X is not known"}}'; exit 1
                """)
        let error = #expect(throws: HalcyonError.self) { try convert(fake) }
        #expect(error == HalcyonError(.unsupported, "the operation X is not known"))
        expectNothing()
    }

    @Test func `Where NVIDIA's package is missing, the error has the command that installs it`() throws {
        let fake = try FakePython(
            worker: """
                echo '{"error": {"code": "unavailable", "message": "nvidia-eff-tao-encryption is not installed."}}'; \
                exit 1
                """)
        try Data(Proto.container(name: "")).write(to: URL(fileURLWithPath: model))
        let text = message { try convert(fake) { $0.key = "key" } }
        #expect(text.contains("'\(fake.environment)/python/bin/python -m pip install nvidia-eff-tao-encryption'"))
    }

    @Test(arguments: [
        ("echo 'Illegal thing' >&2; kill -SEGV $$", "signal 11"), ("kill -KILL $$", "not enough memory"),
        ("echo nonsense; exit 0", "nonsense"), ("exit 3", "status 3"), ("echo '{\"result\": {}}'", "inputs"),
        ("echo '{\"step\": \"reading the model\"}'; kill -ABRT $$", "could not be read"),
        ("yes | head -c 3000000 | tr -d '\\n'; echo '{\"result\": 5}'", "without a result"),
    ])
    func `A converter that dies has its last words in the error`(worker: String, expected: String) throws {
        let text = message { try convert(FakePython(worker: worker)) }
        #expect(text.contains(expected), "\(text)")
        expectNothing()
    }

    @Test(arguments: ["\"../../evil\"", "\"/etc/passwd\"", "\"a/b\"", "\".hidden\"", "\"\"", "\"missing.xml\"", "5"])
    func `A report can name files of its folder only`(files: String) throws {
        let worker = "echo graph > \"$OUT/model.xml\"; echo '\(FakePython.result(files: files))'"
        #expect(!message { try convert(FakePython(worker: worker)) }.isEmpty)
        expectNothing()
    }

    @Test func `A link in the output is not followed`() throws {
        let worker = "ln -s /etc/passwd \"$OUT/model.xml\"; echo '\(FakePython.result(files: "\"model.xml\""))'"
        #expect(message { try convert(FakePython(worker: worker)) }.contains("did not"))
        expectNothing()
    }

    @Test func `Names with quotes and line breaks make a configuration that reads back`() throws {
        let result =
            #"{"result": {"inputs": [{"name":"a\"b\\c\n}","type":"FP32","dims":[3]}], "#
            + #""outputs": [{"name":"y\u0007","type":"INT64","dims":[-1]}], "max_batch": 0, "files": ["model.xml"]}}"#
        let worker = "echo graph > \"$OUT/model.xml\"; cat <<'END'\n\(result)\nEND"
        try convert(FakePython(worker: worker))
        #expect(text(place + "/config.pbtxt")?.contains(#"name: "a\"b\\c\n}""#) == true)
    }

    @Test func `An interrupt ends the converter and what it started, and takes the temporary files away`() throws {
        let fifo = try TemporaryFolder.make().appendingPathComponent("interrupt").path
        #expect(mkfifo(fifo, 0o600) == 0)
        let descriptor = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(descriptor) }
        // Held open by the converter and by what it starts: its end is theirs.
        let held = try TemporaryFolder.make().appendingPathComponent("held").path
        #expect(mkfifo(held, 0o600) == 0)
        let living = open(held, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(living) }
        // The converter itself says that it is running, and would never end.
        let fake = try FakePython(
            worker: """
                exec 9> "\(held)"
                echo half > "$OUT/model.xml"
                sleep 1000 & echo x >&9
                echo x > "\(fifo)"
                wait
                """)
        let error = #expect(throws: HalcyonError.self) {
            try convert(fake, interrupts: Interrupts(descriptor: descriptor))
        }
        #expect(error?.code == .cancelled)
        expectNothing()
        var byte = UInt8(0)
        #expect(read(living, &byte, 1) == 1)
        #expect(read(living, &byte, 1) == 1)
        var end = pollfd(fd: living, events: Int16(POLLIN), revents: 0)
        #expect(poll(&end, 1, 60_000) == 1)
        #expect(read(living, &byte, 1) == 0)
    }

    // MARK: TensorRT

    @Test func `TensorRT's builder is called where it is, and missed where it is not`() throws {
        let fake = try FakePython()
        let plan = folder.appendingPathComponent("out/a.plan").path
        func build(_ variables: [String: String]) throws {
            var request = ConversionRequest(model: model)
            request.outputFile = plan
            request.target = .tensorRT
            request.precision = .fp16
            request.overwrites = true
            var options = fake.options()
            options.variables = variables
            _ = try Conversion(ConversionJob(request), options: options, console: console.console).run()
        }
        #expect(message { try build(["PATH": "/nonexistent"]) }.contains("install NVIDIA TensorRT"))
        expectNothing()
        let programs = try TemporaryFolder.make()
        let script = """
            #!/bin/sh
            for argument; do case "$argument" in --saveEngine=*) echo "$@" > "${argument#--saveEngine=}" ;; esac; done
            """
        let program = programs.appendingPathComponent("trtexec").path
        try Program.write(script, to: program)
        try FileManager.default.createDirectory(
            atPath: folder.appendingPathComponent("out").path, withIntermediateDirectories: false)
        try Data("no model".utf8).write(to: folder.appendingPathComponent("out/a.blob"))
        try build(["PATH": "\(programs.path):/usr/bin:/bin"])
        #expect(text(plan)?.contains("--fp16") == true)
        #expect(text(plan)?.contains("--maxShapes=x:16x3x8x8") == true)
        #expect(names(folder.appendingPathComponent("out").path) == ["a.blob", "a.plan"])
        try Program.write("#!/bin/sh\necho '[E] no GPU'; exit 1\n", to: program)
        #expect(message { try build(["PATH": "\(programs.path):/usr/bin:/bin"]) }.contains("no GPU"))
        #expect(text(plan)?.contains("--fp16") == true)
    }
}

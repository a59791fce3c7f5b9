import Foundation
import HalcyonTestKit
import JSONText
import Tensors
import Testing

@testable import ModelConversion

struct RequestTests {
    private let folder: URL
    private let model: String

    init() throws {
        folder = try TemporaryFolder.make()
        model = folder.appendingPathComponent("net.onnx").path
        try Data(Proto.model(inputs: [("x", [-1, 3, 8, 8])])).write(to: URL(fileURLWithPath: model))
    }

    private func job(_ change: (inout ConversionRequest) -> Void = { _ in }) throws -> ConversionJob {
        var request = ConversionRequest(model: model)
        request.outputModel = folder.appendingPathComponent("repository/net").path
        change(&request)
        return try ConversionJob(request)
    }

    // MARK: Profiles and dimensions

    @Test func `A profile is a name and three sizes`() throws {
        let profile = try ShapeProfile("input_1,1x3x544x960,8x3x544x960,16x3x544x960")
        #expect(profile.input == "input_1")
        #expect(profile.minimum == [1, 3, 544, 960])
        #expect(profile.optimum == [8, 3, 544, 960])
        #expect(profile.maximum == [16, 3, 544, 960])
        #expect(try ShapeProfile("a,b,1x2,1x2,1x2").input == "a,b")
    }

    @Test(arguments: [
        "", "x", "x,1x3", ",1,1,1", "x,1x3,1x3,1", "x,2x3,1x3,4x3", "x,1x3,4x3,2x3", "x,0x3,1x3,1x3", "x,-1x3,1x3,1x3",
        "x,1xx3,1x3,1x3", "x,1x3,1x3,99999999999999999999x3", "x,1x1,1x1,2000000x2000000", "x,1x+3,1x+3,1x+3",
    ])
    func `A profile that is none is refused with its text`(text: String) {
        #expect(message { try ShapeProfile(text) }.contains("-p"))
    }

    @Test func `Dimensions are of the only input, or of one that is named`() throws {
        #expect(try InputDimensions("3,544,960") == InputDimensions("3,544,960"))
        #expect(try InputDimensions("3,544,960").sizes == [3, 544, 960])
        #expect(try InputDimensions("a=b:0=3,4").input == "a=b:0")
        for text in ["", "3,,4", "3;4", "=3", "x=", "0,3", "-1,3", "1.5", "3000000000,3000000000"] {
            #expect(message { try InputDimensions(text) }.contains("-d"), "\(text)")
        }
    }

    // MARK: Names against the model

    @Test func `Names that the model does not have are refused, with those that it has`() throws {
        #expect(message { try job { $0.dimensions = ["y=3,8,8"] } }.contains("no input 'y'"))
        #expect(message { try job { $0.profiles = ["input,1x3x8x8,1x3x8x8,1x3x8x8"] } }.contains("it has 'x'"))
        #expect(message { try job { $0.outputs = "hiden" } }.contains("did you mean 'hidden'?"))
        #expect(message { try job { $0.outputs = "y,y" } }.contains("twice"))
        #expect(message { try job { $0.profiles = ["x,1x3,1x3,1x3"] } }.contains("2 dimensions, and the input has 4"))
        #expect(try job { $0.outputs = "hidden,y" }.outputs == ["hidden", "y"])
    }

    @Test func `Dimensions without a name need an only input`() throws {
        try Data(Proto.model(inputs: [("a", [1]), ("b", [1])])).write(to: URL(fileURLWithPath: model))
        #expect(message { try job { $0.dimensions = ["3"] } }.contains("'a', 'b'"))
        #expect(message { try job { $0.dimensions = ["a=3", "a=4"] } }.contains("twice"))
        #expect(try job { $0.dimensions = ["a=3", "b=4"] }.dimensions.count == 2)
    }

    // MARK: Flags together

    @Test func `Numbers out of range are refused`() {
        #expect(message { try job { $0.maxBatch = -1 } }.contains("-m takes 0 to 4096"))
        #expect(message { try job { $0.maxBatch = .max } }.contains("-m"))
        #expect(message { try job { $0.calibrationBatch = 0 } }.contains("-b"))
        #expect(message { try job { $0.workspace = -5 } }.contains("-w"))
        #expect(message { try job { $0.maxDrop = 1.5 } }.contains("--max-drop"))
        #expect(message { try job { $0.maxDrop = .nan } }.contains("--max-drop"))
    }

    @Test func `Flags without a meaning are accepted with a notice`() throws {
        let job = try job {
            $0.workspace = 1 << 20
            $0.key = "secret"
            $0.calibrationBatch = 4
            $0.profiles = ["x,1x3x8x8,2x3x8x8,4x3x8x8"]
        }
        for flag in ["-w", "-k", "-b", "-p"] { #expect(job.notices.contains { $0.contains(flag) }, "\(flag)") }
        #expect(!job.notices.joined().contains("secret"))
        #expect(try self.job().notices.isEmpty)
    }

    @Test func `The largest batch is said once`() throws {
        #expect(
            message {
                try job {
                    $0.maxBatch = 8
                    $0.profiles = ["x,1x3x8x8,2x3x8x8,4x3x8x8"]
                }
            }.contains("-m is 8"))
    }

    @Test func `INT8 needs pictures, and only INT8 is judged`() throws {
        #expect(message { try job { $0.precision = .int8 } }.contains("-c FOLDER"))
        #expect(message { try job { $0.maxDrop = 0.1 } }.contains("-t int8"))
        let nowhere = message {
            try job {
                $0.precision = .int8
                $0.calibration = "/nowhere"
            }
        }
        #expect(nowhere.contains("/nowhere"))
    }

    @Test func `Pre-processing flags need something to act on`() throws {
        #expect(message { try job { $0.preprocessing.scale = "1" } }.contains("--embed-preprocessing"))
        #expect(
            message {
                try job {
                    $0.embedsPreprocessing = true
                    $0.preprocessing.scale = "1,2"
                }
            }.contains("--scale"))
        #expect(
            message {
                try job {
                    $0.embedsPreprocessing = true
                    $0.layout = .nchw
                }
            }.contains("nhwc"))
        let order = try job {
            $0.embedsPreprocessing = true
            $0.preprocessing.scale = "0.5"
            $0.preprocessing.mean = "1,2,3"
        }.order(output: "/out", threads: 2)
        #expect(order["embed_preprocessing"]?["scale"]?.elements?.compactMap(\.real) == [0.5, 0.5, 0.5])
        #expect(order["embed_preprocessing"]?["mean"]?.elements?.compactMap(\.real) == [1, 2, 3])
        #expect(order["embed_preprocessing"]?["resize"] == nil)
    }

    @Test func `ONNX is made of ONNX, in what its engine computes in`() throws {
        #expect(try job { $0.target = .onnx }.destination.modelFile == "model.onnx")
        #expect(
            message {
                try job {
                    $0.target = .onnx
                    $0.precision = .bf16
                }
            }.contains("-t bf16"))
        #expect(
            message {
                try job {
                    $0.target = .onnx
                    $0.isCompiled = true
                }
            }.contains("--compiled"))
        try Data(Proto.graph()).write(to: URL(fileURLWithPath: model))
        #expect(message { try job { $0.target = .onnx } }.contains("TensorFlow frozen graph"))
    }

    // MARK: .etlt

    @Test func `An encrypted model needs a key, and its head is read`() throws {
        let file = folder.appendingPathComponent("net.etlt")
        try Data(Proto.container(name: "input_1")).write(to: file)
        #expect(message { try job { $0.model = file.path } }.contains("-k KEY"))
        let encrypted = try job {
            $0.model = file.path
            $0.key = "secret"
        }
        let order = encrypted.order(output: "/out", threads: 1)
        #expect(order["format"]?.text == "etlt")
        #expect(order["etlt"]?["input_name"]?.text == "input_1")
        #expect(order["etlt"]?["payload_offset"]?.integer == 11)
    }

    @Test func `A head that can't be right is refused`() throws {
        func head(_ bytes: [UInt8]) -> String {
            message { try bytes.withUnsafeBytes { try EncryptedContainer($0, path: "a.etlt") } }
        }
        #expect(head([]).contains("4"))
        #expect(head([1, 2, 3]).contains("4"))
        #expect(head([0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 64)).contains("4294967295"))
        #expect(head([0, 0, 0, 0x80] + [UInt8](repeating: 0, count: 64)).contains("2147483648"))
        #expect(head([200, 0, 0, 0] + [UInt8](repeating: 65, count: 64)).contains("cut short"))
        #expect(head([2, 0, 0, 0, 65, 66, 1, 2]).contains("cut short"))
        #expect(head([2, 0, 0, 0, 0xFF, 0xFE] + [UInt8](repeating: 1, count: 64)).contains("no text"))
        #expect(head([2, 0, 0, 0, 10, 65] + [UInt8](repeating: 1, count: 64)).contains("no text"))
        #expect(head([0, 0, 0, 0] + [UInt8](repeating: 1, count: 16)) == "")
    }

    // MARK: Destinations

    @Test func `There is one destination, and it fits the target`() throws {
        #expect(message { try job { $0.outputModel = nil } }.contains("nothing says where"))
        #expect(message { try job { $0.outputFile = "a.xml" } }.contains("several"))
        func file(_ name: String, _ target: ConversionRequest.Target = .openVINO) -> String {
            message {
                try job {
                    $0.outputModel = nil
                    $0.outputFile = name
                    $0.target = target
                }
            }
        }
        let base = folder.path
        #expect(file("\(base)/a.xml") == "")
        #expect(file("\(base)/a.onnx", .onnx) == "")
        #expect(file("\(base)/a.plan", .tensorRT) == "")
        #expect(file("\(base)/a.plan").contains(".xml"))
        #expect(file("\(base)/.xml").contains(".xml"))
        #expect(file("\(base)/a.xml/").contains("--output-version"))
        #expect(file(model + "/a.xml").contains("is not a folder"))
    }

    @Test(arguments: ["0", "01", "latest", "-1", "1.5", ".."])
    func `A version's folder is a number`(name: String) {
        let text = message {
            try job {
                $0.outputModel = nil
                $0.outputVersion = folder.appendingPathComponent(name).path
            }
        }
        #expect(!text.isEmpty)
    }

    @Test func `A folder that holds something is not replaced unasked`() throws {
        let place = folder.appendingPathComponent("repository/net")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        #expect(message { try job() } == "")
        try Data().write(to: place.appendingPathComponent("notes.txt"))
        #expect(message { try job() }.contains("--overwrite"))
        #expect(message { try job { $0.overwrites = true } } == "")
        #expect(message { try job { $0.outputModel = folder.path + "/.hidden" } }.contains("dot"))
    }

    @Test(arguments: ["a.xml", "a.bin", "a.blob", "a.blob.json"])
    func `A file that is there, or what belongs to it, is not replaced unasked`(name: String) throws {
        try Data("old".utf8).write(to: folder.appendingPathComponent(name))
        func file(_ name: String, _ change: (inout ConversionRequest) -> Void = { _ in }) -> String {
            message {
                try job {
                    $0.outputModel = nil
                    $0.outputFile = folder.path + "/" + name
                    change(&$0)
                }
            }
        }
        #expect(file("a.xml").contains("--overwrite"))
        #expect(file("a.xml") { $0.overwrites = true } == "")
        // They belong to an OpenVINO model.
        #expect(file("a.onnx") { $0.target = .onnx } == "")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("b.bin"), withIntermediateDirectories: false)
        #expect(file("b.xml") { $0.overwrites = true }.contains("no file"))
    }

    @Test func `The model that is converted is never replaced`() throws {
        let version = folder.appendingPathComponent("m/1")
        try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
        try Data("<?xml version=\"1.0\"?><net name=\"n\"></net>".utf8)
            .write(to: version.appendingPathComponent("a.xml"))
        try Data([1]).write(to: version.appendingPathComponent("a.bin"))
        let link = folder.appendingPathComponent("link.xml")
        try FileManager.default.createSymbolicLink(
            at: link, withDestinationURL: version.appendingPathComponent("a.xml"))
        try Data(Proto.model(external: "b.bin")).write(to: version.appendingPathComponent("w.onnx"))
        try Data([1]).write(to: version.appendingPathComponent("b.bin"))
        func refusal(_ model: String, _ change: (inout ConversionRequest) -> Void) -> Bool {
            message {
                try job {
                    $0.model = model
                    $0.outputModel = nil
                    $0.overwrites = true
                    change(&$0)
                }
            }.contains("is converted: write elsewhere")
        }
        let (graph, weights) = (version.path + "/a.xml", version.path + "/w.onnx")
        #expect(refusal(graph) { $0.outputFile = graph })
        #expect(refusal(link.path) { $0.outputFile = graph })
        #expect(refusal(graph) { $0.outputFile = link.path })
        #expect(refusal(weights) { $0.outputFile = version.path + "/b.xml" })
        #expect(refusal(graph) { $0.outputVersion = version.path })
        #expect(refusal(graph) { $0.outputModel = folder.path + "/m" })
        #expect(!refusal(graph) { $0.outputFile = version.path + "/c.xml" })
        #expect(!refusal(graph) { $0.outputVersion = folder.path + "/m/2" })
    }

    // MARK: TensorRT

    @Test(arguments: ["x:0", "a,b"])
    func `A name that trtexec would take for two things is refused`(name: String) throws {
        try Data(Proto.model(inputs: [(name, [-1, 3, 8, 8])])).write(to: URL(fileURLWithPath: model))
        func plan(_ change: (inout ConversionRequest) -> Void = { _ in }) -> String {
            message {
                try job {
                    $0.outputModel = nil
                    $0.outputFile = folder.path + "/a.plan"
                    $0.target = .tensorRT
                    change(&$0)
                }
            }
        }
        #expect(plan().contains("'\(name)'"))
        // Then no sizes are given.
        #expect(plan { $0.maxBatch = 0 } == "")
    }

    @Test func `TensorRT gets its flags from ours`() throws {
        let plan = folder.appendingPathComponent("a.plan").path
        func arguments(_ change: (inout ConversionRequest) -> Void) throws -> [String] {
            let job = try job {
                $0.outputModel = nil
                $0.outputFile = plan
                $0.target = .tensorRT
                change(&$0)
            }
            return TensorRTBuilder.arguments(job, model: "m.onnx", plan: "p")
        }
        #expect(
            try arguments {
                $0.precision = .fp16
                $0.maxBatch = 16
                $0.workspace = 1 << 30
            } == [
                "--onnx=m.onnx", "--saveEngine=p", "--skipInference", "--fp16", "--memPoolSize=workspace:1073741824B",
                "--minShapes=x:1x3x8x8", "--optShapes=x:8x3x8x8", "--maxShapes=x:16x3x8x8",
            ])
        let profiled = try arguments { $0.profiles = ["x,1x3x8x8,2x3x8x8,4x3x8x8"] }
        #expect(profiled.contains("--optShapes=x:2x3x8x8"))
        #expect(message { try arguments { $0.layout = .nhwc } }.contains("-i nhwc"))
        #expect(message { try arguments { $0.verifies = true } }.contains("--verify"))
    }
}

import Foundation
import HalcyonTestKit
import Tensors

@testable import ONNXRuntimeBackend

/// A small model in ONNX's format, which is a protobuf message: `onnx.proto` names the fields that the numbers here
/// are.
struct ONNXModel {
    struct Port {
        var name: String
        var type: ElementType
        /// −1 is any size.
        var dimensions: [Int]
    }

    struct Node {
        var type: String
        var inputs: [String]
        var outputs: [String]
    }

    var inputs: [Port]
    var outputs: [Port]
    var nodes: [Node]
    /// Names of outputs that are sequences of tensors.
    var sequences: Set<String> = []
    /// The values of inputs that requests may leave out: one FP32 number each.
    var values: [String: Float] = [:]
    /// Weights of one FP32 number, and the files that they are said to lie in.
    var files: [String: String] = [:]

    /// Writes the model to a file of its own, whose path it returns.
    func write() throws -> String {
        let file = try TemporaryFolder.make().appendingPathComponent("model.onnx")
        try message.write(to: file)
        return file.path
    }

    private var message: Data {
        var graph = Data()
        for node in nodes { graph += Self.field(1, message(node)) }
        graph += Self.field(2, Data("graph".utf8))
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            graph += Self.field(5, Self.tensor(name) + Self.field(9, withUnsafeBytes(of: value) { Data($0) }))
        }
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            let entry = Self.field(1, Data("location".utf8)) + Self.field(2, Data(file.utf8))
            graph += Self.field(5, Self.tensor(name) + Self.field(13, entry) + Self.field(14, 1))
        }
        for port in inputs { graph += Self.field(11, message(port)) }
        for port in outputs { graph += Self.field(12, message(port)) }
        return Self.field(1, 8) + Self.field(7, graph) + Self.field(8, Self.field(2, 17))
    }

    private static func tensor(_ name: String) -> Data {
        field(1, 1) + field(2, UInt64(ElementType.fp32.onnxNumber)) + field(8, Data(name.utf8))
    }

    private func message(_ node: Node) -> Data {
        var message = Data()
        for name in node.inputs { message += Self.field(1, Data(name.utf8)) }
        for name in node.outputs { message += Self.field(2, Data(name.utf8)) }
        return message + Self.field(4, Data(node.type.utf8))
    }

    private func message(_ port: Port) -> Data {
        var shape = Data()
        for size in port.dimensions {
            shape += Self.field(1, size < 0 ? Self.field(2, Data("n".utf8)) : Self.field(1, UInt64(size)))
        }
        var type = Self.field(1, Self.field(1, UInt64(port.type.onnxNumber)) + Self.field(2, shape))
        if sequences.contains(port.name) { type = Self.field(4, Self.field(1, type)) }
        return Self.field(1, Data(port.name.utf8)) + Self.field(2, type)
    }

    private static func field(_ number: Int, _ value: UInt64) -> Data { varint(UInt64(number << 3)) + varint(value) }

    private static func field(_ number: Int, _ content: Data) -> Data {
        varint(UInt64(number << 3 | 2)) + varint(UInt64(content.count)) + content
    }

    private static func varint(_ value: UInt64) -> Data {
        var (rest, bytes) = (value, Data())
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }
}

extension ONNXModel {
    /// `doubled = x + x`.
    static func doubling(_ dimensions: [Int]) -> ONNXModel {
        ONNXModel(
            inputs: [Port(name: "x", type: .fp32, dimensions: dimensions)],
            outputs: [Port(name: "doubled", type: .fp32, dimensions: dimensions)],
            nodes: [Node(type: "Add", inputs: ["x", "x"], outputs: ["doubled"])])
    }

    /// `y` is `x`.
    static func identity(_ type: ElementType, _ dimensions: [Int]) -> ONNXModel {
        ONNXModel(
            inputs: [Port(name: "x", type: type, dimensions: dimensions)],
            outputs: [Port(name: "y", type: type, dimensions: dimensions)],
            nodes: [Node(type: "Identity", inputs: ["x"], outputs: ["y"])])
    }

    /// The positions of the elements that are not zero: as many columns as there are such elements.
    static let nonZero = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1])],
        outputs: [Port(name: "positions", type: .int64, dimensions: [1, -1])],
        nodes: [Node(type: "NonZero", inputs: ["x"], outputs: ["positions"])])

    /// The same, one below the other: as many rows as there are such elements, whatever the batch is.
    static let nonZeroRows = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1])],
        outputs: [Port(name: "positions", type: .int64, dimensions: [-1, 1])],
        nodes: [
            Node(type: "NonZero", inputs: ["x"], outputs: ["found"]),
            Node(type: "Transpose", inputs: ["found"], outputs: ["positions"]),
        ])

    /// `doubled = x + x`, and `x` itself, which no node computes.
    static let passing = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1, 2])],
        outputs: [
            Port(name: "doubled", type: .fp32, dimensions: [-1, 2]), Port(name: "x", type: .fp32, dimensions: [-1, 2]),
        ],
        nodes: [Node(type: "Add", inputs: ["x", "x"], outputs: ["doubled"])])

    /// `doubled = x + x` and `tripled = x + doubled`.
    static let twoOutputs = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1, 2])],
        outputs: [
            Port(name: "doubled", type: .fp32, dimensions: [-1, 2]),
            Port(name: "tripled", type: .fp32, dimensions: [-1, 2]),
        ],
        nodes: [
            Node(type: "Add", inputs: ["x", "x"], outputs: ["doubled"]),
            Node(type: "Add", inputs: ["x", "doubled"], outputs: ["tripled"]),
        ])

    /// `y = x + bias`, where the model has a bias of 10 itself.
    static let plusBias = ONNXModel(
        inputs: [
            Port(name: "x", type: .fp32, dimensions: [-1]), Port(name: "bias", type: .fp32, dimensions: [1]),
        ],
        outputs: [Port(name: "y", type: .fp32, dimensions: [-1])],
        nodes: [Node(type: "Add", inputs: ["x", "bias"], outputs: ["y"])], values: ["bias": 10])

    /// `y = x + w`, where w lies in a file.
    static func plusWeight(in file: String) -> ONNXModel {
        ONNXModel(
            inputs: [Port(name: "x", type: .fp32, dimensions: [-1])],
            outputs: [Port(name: "y", type: .fp32, dimensions: [-1])],
            nodes: [Node(type: "Add", inputs: ["x", "w"], outputs: ["y"])], files: ["w": file])
    }

    /// Its output is a list of tensors.
    static let sequence = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1])],
        outputs: [Port(name: "list", type: .fp32, dimensions: [-1])],
        nodes: [Node(type: "SequenceConstruct", inputs: ["x"], outputs: ["list"])], sequences: ["list"])

    /// One output is a list of tensors, as ZipMap's is, and one is a tensor.
    static let sequenceAndTensor = ONNXModel(
        inputs: [Port(name: "x", type: .fp32, dimensions: [-1])],
        outputs: [
            Port(name: "list", type: .fp32, dimensions: [-1]), Port(name: "label", type: .fp32, dimensions: [-1]),
        ],
        nodes: [
            Node(type: "SequenceConstruct", inputs: ["x"], outputs: ["list"]),
            Node(type: "Add", inputs: ["x", "x"], outputs: ["label"]),
        ], sequences: ["list"])
}

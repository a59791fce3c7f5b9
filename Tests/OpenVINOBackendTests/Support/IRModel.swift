import Foundation
import HalcyonTestKit

/// A small model in OpenVINO's own format, put together as text.
///
/// Ports are numbered from 0, a layer's inputs first; this is the numbering of the format.
struct IRModel {
    struct Layer {
        var type: String
        var opset = "opset1"
        /// The attributes of the layer's `data` element.
        var data: [String: String] = [:]
        /// The positions, in `layers`, of what it reads; always output 0 of it.
        var inputs: [Int] = []
        /// `nil` for a layer without outputs.
        var output: Output?
    }

    struct Output {
        /// The tensor's names; may be empty.
        var names: [String]
        /// The format's name of the element type, `f32` for instance.
        var type: String
        /// -1 is any size.
        var dimensions: [Int]
    }

    var layers: [Layer] = []
    /// The file of constants.
    var weights = Data()

    mutating func add(_ layer: Layer) -> Int {
        layers.append(layer)
        return layers.count - 1
    }

    mutating func parameter(_ name: String, _ type: String, _ dimensions: [Int]) -> Int {
        let shape = dimensions.map { $0 < 0 ? "?" : String($0) }.joined(separator: ",")
        return add(
            Layer(
                type: "Parameter", data: ["shape": shape, "element_type": type],
                output: Output(names: name.isEmpty ? [] : [name], type: type, dimensions: dimensions)))
    }

    mutating func constant(_ values: [Float], _ dimensions: [Int]) -> Int {
        let offset = weights.count
        values.withUnsafeBytes { weights.append(contentsOf: $0) }
        let data = [
            "element_type": "f32", "shape": dimensions.map(String.init).joined(separator: ","), "offset": "\(offset)",
            "size": "\(values.count * 4)",
        ]
        return add(Layer(type: "Const", data: data, output: Output(names: [], type: "f32", dimensions: dimensions)))
    }

    mutating func sum(_ left: Int, _ right: Int, names: [String]) -> Int {
        let shape = layers[left].output
        return add(
            Layer(
                type: "Add", data: ["auto_broadcast": "numpy"], inputs: [left, right],
                output: Output(names: names, type: shape?.type ?? "f32", dimensions: shape?.dimensions ?? [])))
    }

    mutating func result(_ layer: Int) { _ = add(Layer(type: "Result", inputs: [layer])) }

    /// Writes `model.xml` and `model.bin` into a new folder and returns the path of the former.
    func write() throws -> String {
        let folder = try TemporaryFolder.make()
        let file = folder.appendingPathComponent("model.xml")
        try Data(xml.utf8).write(to: file)
        try weights.write(to: folder.appendingPathComponent("model.bin"))
        return file.path
    }

    private var xml: String {
        var edges = ""
        var text = ""
        for (id, layer) in layers.enumerated() {
            let data = layer.data.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: " ")
            text += "<layer id=\"\(id)\" name=\"layer\(id)\" type=\"\(layer.type)\" version=\"\(layer.opset)\">"
            if !data.isEmpty { text += "<data \(data)/>" }
            if !layer.inputs.isEmpty {
                text += "<input>"
                for (port, source) in layer.inputs.enumerated() {
                    text += portText(port, layers[source].output, isOutput: false)
                    edges += "<edge from-layer=\"\(source)\" from-port=\"\(layers[source].inputs.count)\" "
                    edges += "to-layer=\"\(id)\" to-port=\"\(port)\"/>"
                }
                text += "</input>"
            }
            if let output = layer.output {
                text += "<output>\(portText(layer.inputs.count, output, isOutput: true))</output>"
            }
            text += "</layer>"
        }
        return "<?xml version=\"1.0\"?><net name=\"test\" version=\"11\">"
            + "<layers>\(text)</layers><edges>\(edges)</edges></net>"
    }

    private func portText(_ id: Int, _ output: Output?, isOutput: Bool) -> String {
        guard let output else { return "<port id=\"\(id)\"/>" }
        let names = isOutput && !output.names.isEmpty ? " names=\"\(output.names.joined(separator: ","))\"" : ""
        let precisions = ["i64": "I64", "f32": "FP32", "f16": "FP16", "f64": "FP64", "boolean": "BOOL"]
        let precision = isOutput ? " precision=\"\(precisions[output.type] ?? output.type.uppercased())\"" : ""
        let dimensions = output.dimensions.map { "<dim>\($0)</dim>" }.joined()
        return "<port id=\"\(id)\"\(precision)\(names)>\(dimensions)</port>"
    }
}

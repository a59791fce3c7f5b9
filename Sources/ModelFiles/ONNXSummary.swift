internal import ProtobufWire

/// What an ONNX model is made of, in short.
package struct ONNXSummary: Hashable, Sendable {
    /// The types of its nodes, `Conv` for instance: of graphs at any depth and of functions.
    package private(set) var operators: Set<String> = []
    /// What its file takes, together with the weights that lie outside of it.
    package private(set) var byteCount = 0

    /// Reads the file as far as it can: what is wrong with it is the engine's to complain of.
    package init(of path: String) {
        guard let file = try? ModelBytes(path: path) else { return }
        var summary = ONNXSummary(byteCount: file.bytes.count)
        try? ONNXParts.each(file.bytes[...]) { part in
            switch part {
            case .node(let node, _): summary.operators.insert(node.type)
            case .tensor(let tensor, _):
                let length = tensor.place.last { $0.key == "length" }.flatMap { Int($0.value) } ?? 0
                let (sum, overflow) = summary.byteCount.addingReportingOverflow(max(0, length))
                summary.byteCount = overflow ? .max : sum
            case .input, .output: break
            }
        }
        self = summary
    }

    init(operators: Set<String> = [], byteCount: Int) {
        self.operators = operators
        self.byteCount = byteCount
    }
}

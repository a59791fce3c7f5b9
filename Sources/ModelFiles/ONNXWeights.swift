internal import ProtobufWire
internal import Tensors

/// The places outside of its own file that an ONNX model names: weights in any of its graphs, at any depth, in its
/// functions and in what trains it; and what was compiled from a part of it.
package struct ONNXWeights {
    package private(set) var locations: [WeightsLocation] = []

    /// Reads the model's message.
    ///
    /// - Throws: `ProtobufFields.Damage`; `invalidArgument` for graphs that are nested too deeply, and for a place that
    ///   is named in two ways.
    package init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        var locations: [WeightsLocation] = []
        try ONNXParts.each(bytes) { part in
            switch part {
            case .tensor(let tensor, _): if let place = try Self.place(of: tensor) { locations.append(place) }
            case .node(let node, _): locations += Self.places(of: node)
            case .input, .output: break
            }
        }
        self.locations = locations
    }

    /// What another program compiled lies in a file where the node does not hold it itself.
    private static func places(of node: ONNXParts.Node) -> [WeightsLocation] {
        guard node.type == "EPContext", node.attributes.contains(where: { $0.name == "embed_mode" && $0.number == 0 })
        else { return [] }
        return node.attributes.filter { $0.name == "ep_cache_context" && !$0.text.isEmpty }.map {
            WeightsLocation(tensor: node.name.isEmpty ? node.type : node.name, name: $0.text)
        }
    }

    private static func place(of tensor: ONNXParts.Tensor) throws(HalcyonError) -> WeightsLocation? {
        var entries: [String: String] = [:]
        var repeated: String?
        for (key, value) in tensor.place where entries.updateValue(value, forKey: key) != nil { repeated = key }
        guard let location = entries["location"] else { return nil }
        if let repeated {
            throw HalcyonError(.invalidArgument, "its weights '\(tensor.name)' have two values for '\(repeated)'")
        }
        var place = WeightsLocation(tensor: tensor.name, name: location)
        if let offset = entries["offset"] { place.offset = try number(offset, "offset", tensor.name) }
        if let length = entries["length"] { place.byteCount = try number(length, "length", tensor.name) }
        return place
    }

    private static func number(_ text: String, _ what: String, _ tensor: String) throws(HalcyonError) -> UInt64 {
        guard let number = UInt64(text) else {
            throw HalcyonError(
                .invalidArgument,
                "its weights '\(tensor)' have the \(what) '\(WeightsLocation.shortened(text))', expected a number of "
                    + "bytes"
            )
        }
        return number
    }
}

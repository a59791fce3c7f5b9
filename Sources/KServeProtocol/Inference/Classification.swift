private import JSONText
internal import Tensors

/// The largest values of an output as text, `value:index` or `value:index:label` (the classification extension).
enum Classification {
    /// - Parameters:
    ///   - count: how many classes for each item; at most as many as there are values.
    ///   - labels: by index; may be shorter than the values.
    /// - Returns: a `bytes` tensor of the shape [classes], or [batch, classes].
    /// - Throws: `invalidArgument` for an element type without an order.
    static func classes(
        of tensor: Tensor, count: Int, hasBatchDimension: Bool, labels: [String]
    ) throws(HalcyonError) -> Tensor {
        let items = hasBatchDimension ? tensor.shape.dimensions.first ?? 1 : 1
        let values = try tensor.shape.elementCount() / max(1, items)
        let classes = min(count, values)
        var bytes: [UInt8] = []
        let texts = try describe(tensor)
        for item in 0..<items {
            let range = item * values..<(item + 1) * values
            // Ties keep their order, as the reference's stable order by index does.
            let order = range.sorted { texts.isGreater($0, $1) || (!texts.isGreater($1, $0) && $0 < $1) }
            for index in order.prefix(classes) {
                var text = "\(texts.text(index)):\(index - range.lowerBound)"
                if index - range.lowerBound < labels.count { text += ":\(labels[index - range.lowerBound])" }
                withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes.append(contentsOf: text.utf8)
            }
        }
        return try Tensor(
            name: tensor.name, elementType: .bytes, shape: hasBatchDimension ? [items, classes] : [classes],
            data: Buffer(copying: bytes))
    }

    private struct Values {
        var isGreater: (Int, Int) -> Bool
        var text: (Int) -> String
    }

    private static func describe(_ tensor: Tensor) throws(HalcyonError) -> Values {
        switch tensor.elementType {
        case .uint8: values(tensor, UInt8.self)
        case .uint16: values(tensor, UInt16.self)
        case .uint32: values(tensor, UInt32.self)
        case .uint64: values(tensor, UInt64.self)
        case .int8: values(tensor, Int8.self)
        case .int16: values(tensor, Int16.self)
        case .int32: values(tensor, Int32.self)
        case .int64: values(tensor, Int64.self)
        case .fp32: values(floats(tensor, Float.self) { $0 }, text: fixed)
        case .fp64: values(floats(tensor, Double.self) { $0 }, text: fixed)
        case .fp16: values(floats(tensor, UInt16.self) { HalfPrecision.fp16($0) }, text: fixed)
        case .bf16: values(floats(tensor, UInt16.self) { HalfPrecision.bf16($0) }, text: fixed)
        case .bool, .bytes:
            throw HalcyonError(
                .invalidArgument,
                "class result not available for output '\(tensor.name)' due to unsupported type "
                    + "'\(tensor.elementType.rawValue)'")
        }
    }

    private static func values<Element: TensorElement & Comparable & CustomStringConvertible>(
        _ tensor: Tensor, _ type: Element.Type
    ) -> Values {
        values(floats(tensor, type) { $0 }) { $0.description }
    }

    private static func floats<Stored: BitwiseCopyable, Element>(
        _ tensor: Tensor, _ type: Stored.Type, _ convert: (Stored) -> Element
    ) -> [Element] {
        tensor.data.withUnsafeBytes { bytes in
            (0..<bytes.count / MemoryLayout<Stored>.stride).map {
                convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.stride, as: Stored.self))
            }
        }
    }

    private static func values<Element: Comparable>(
        _ elements: [Element], text: @escaping (Element) -> String
    ) -> Values {
        Values(isGreater: { elements[$0] > elements[$1] }, text: { text(elements[$0]) })
    }

    /// Six decimals, as the reference prints a floating-point value here.
    private static func fixed(_ value: some BinaryFloatingPoint) -> String {
        let double = Double(value)
        guard double.isFinite, double.magnitude < 1e12 else { return "\(double)" }
        let scaled = UInt64((double.magnitude * 1e6).rounded(.toNearestOrEven))
        let fraction = String(scaled % 1_000_000)
        let sign = double.sign == .minus ? "-" : ""
        return "\(sign)\(scaled / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

private import JSONText
internal import Tensors

/// The largest values of an output as text, `value:index` or `value:index:label` (the classification extension).
enum Classification {
    /// - Parameters:
    ///   - count: how many classes for each item; at most as many as there are values.
    ///   - most: how many classes there may be in all.
    ///   - labels: by index; may be shorter than the values.
    /// - Returns: a `bytes` tensor of the shape [classes], or [batch, classes].
    /// - Throws: `invalidArgument` for an element type without an order.
    static func classes(
        of tensor: Tensor, count: Int, most: Int, hasBatchDimension: Bool, labels: [String]
    ) throws(HalcyonError) -> Tensor {
        let items = hasBatchDimension ? tensor.shape.dimensions.first ?? 1 : 1
        let values = try tensor.shape.elementCount() / max(1, items)
        let classes = min(count, values)
        guard classes <= most / max(1, items) else {
            throw HalcyonError(
                .invalidArgument,
                "output '\(tensor.name)' would be given as \(classes) classes for each of \(items) items; the limit is "
                    + "\(most) in all: ask for fewer with 'classification'")
        }
        var bytes: [UInt8] = []
        let texts = try describe(tensor)
        for item in 0..<items {
            let range = item * values..<(item + 1) * values
            // Ties keep their order, as Triton's stable order by index does.
            let order = Selection.first(classes, of: range) {
                texts.isGreater($0, $1) || (!texts.isGreater($1, $0) && $0 < $1)
            }
            for index in order {
                var text = "\(texts.text(index)):\(index - range.lowerBound)"
                if index - range.lowerBound < labels.count { text += ":\(labels[index - range.lowerBound])" }
                withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes.append(contentsOf: text.utf8)
            }
        }
        return try Tensor(
            name: tensor.name, elementType: .bytes, shape: hasBatchDimension ? [items, classes] : [classes],
            data: TensorBuffer(copying: bytes))
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
        case .fp32: values(tensor, Float.self, { $0 }, text: fixed)
        case .fp64: values(tensor, Double.self, { $0 }, text: fixed)
        case .fp16: values(tensor, UInt16.self, { HalfPrecision.fp16($0) }, text: fixed)
        case .bf16: values(tensor, UInt16.self, { HalfPrecision.bf16($0) }, text: fixed)
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
        values(tensor, type, { $0 }) { $0.description }
    }

    /// The values stay where they are.
    private static func values<Stored: BitwiseCopyable, Element: Comparable>(
        _ tensor: Tensor, _ type: Stored.Type, _ convert: @escaping (Stored) -> Element,
        text: @escaping (Element) -> String
    ) -> Values {
        let data = tensor.data
        let value = { (index: Int) -> Element in
            convert((data.baseAddress + index * MemoryLayout<Stored>.stride).loadUnaligned(as: Stored.self))
        }
        // What is no number is less than all numbers, so that there is an order: it alone differs from itself.
        let isGreater = { (first: Int, second: Int) -> Bool in
            let (a, b) = (value(first), value(second))
            return a > b || b != b && a == a
        }
        return Values(isGreater: isGreater, text: { text(value($0)) })
    }

    /// Six decimals, as Triton prints a floating-point value here.
    private static func fixed(_ value: some BinaryFloatingPoint) -> String {
        let double = Double(value)
        guard double.isFinite, double.magnitude < 1e12 else { return "\(double)" }
        let scaled = UInt64((double.magnitude * 1e6).rounded(.toNearestOrEven))
        let fraction = String(scaled % 1_000_000)
        let sign = double.sign == .minus ? "-" : ""
        return "\(sign)\(scaled / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

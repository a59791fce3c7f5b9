internal import JSONText
package import Tensors

/// Inputs in perf_analyzer's JSON form: `{"data": [{"INPUT0": [1, 2, 3]}, …]}`, an object for each item, or a list of
/// such lists, each the steps of a sequence. An input is a list of its elements, an object with `content` and `shape`,
/// or one with the bytes as `b64`.
package enum InputDataFile {
    /// - Throws: `invalidArgument` that says what is wrong, and where.
    package static func parse(
        _ bytes: [UInt8], name: String, for model: ModelDescription, shapes: InputShapes, batch: Int
    ) throws(HalcyonError) -> RequestData {
        try RequestData.check(batch, model)
        try shapes.check(model)
        let document = try JSONValue.read(bytes, name)
        guard let data = document["data"]?.elements, !data.isEmpty else {
            throw HalcyonError(
                .invalidArgument, "\(name): expected an object with a list \"data\" that has at least one item")
        }
        let isNested = data.first?.elements != nil
        var streams: [[RequestData.Step]] = []
        for (number, stream) in (isNested ? data : [.array(data)]).enumerated() {
            let place = isNested ? "\(name): data[\(number)]" : "\(name): data"
            guard let items = stream.elements, !items.isEmpty else {
                throw HalcyonError(.invalidArgument, "\(place): expected a list of items, with at least one")
            }
            var steps: [RequestData.Step] = []
            for (index, item) in items.enumerated() {
                steps.append(try step(item, "\(place)[\(index)]", model, shapes))
            }
            streams.append(steps)
        }
        var requests = try RequestData.batched(streams, for: model, batch: batch)
        requests.notices = notices(of: document, name)
        return requests
    }

    /// What else lies in a file, which nothing is done with.
    private static func notices(of document: JSONValue, _ name: String) -> [String] {
        guard case .object(let members) = document else { return [] }
        return members.map(\.key).filter { $0 != "data" }.map { key in
            key == "validation_data"
                ? "\(name): \"validation_data\" is not looked at: answers are counted and timed, not compared"
                : "\(name): \"\(key)\" means nothing here; inputs are in \"data\""
        }
    }

    private static func step(
        _ item: JSONValue, _ place: String, _ model: ModelDescription, _ shapes: InputShapes
    ) throws(HalcyonError) -> RequestData.Step {
        guard case .object(let members) = item else {
            throw HalcyonError(.invalidArgument, "\(place): expected an object with a member for each input")
        }
        for member in members where !model.inputs.contains(where: { $0.name == member.key }) {
            let names = model.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw HalcyonError(
                .invalidArgument, "\(place): model '\(model.name)' has no input '\(member.key)', but \(names)")
        }
        var step: RequestData.Step = []
        for port in model.inputs {
            guard let value = item[port.name] else {
                if port.isOptional { continue }
                throw HalcyonError(.invalidArgument, "\(place): the input '\(port.name)' is missing")
            }
            step.append(try tensor(value, "\(place).\(port.name)", port, model, shapes))
        }
        return step
    }

    private static func tensor(
        _ value: JSONValue, _ place: String, _ port: ModelDescription.Port, _ model: ModelDescription,
        _ shapes: InputShapes
    ) throws(HalcyonError) -> Tensor {
        let content = value["content"] ?? value
        var bytes: [UInt8] = []
        var count = 0
        if let text = value["b64"]?.text ?? content["b64"]?.text {
            // Long texts may be broken into lines.
            guard let decoded = Base64.decode(text.filter { !["\n", "\r", "\r\n"].contains($0) }) else {
                throw HalcyonError(.invalidArgument, "\(place): b64 is no base64 text")
            }
            if port.elementType == .bytes {
                append(text: decoded, to: &bytes)
                count = 1
            } else {
                bytes = decoded
                count = decoded.count / (port.elementType.byteSize ?? 1)
            }
        } else {
            guard let elements = content.elements else {
                throw HalcyonError(
                    .invalidArgument, "\(place): expected a list of elements, an object with content, or one with b64")
            }
            try append(elements, port.elementType, place, to: &bytes, count: &count)
        }
        var shape = port.shape
        if let given = value["shape"]?.elements {
            shape = TensorShape(given.compactMap { $0.whole.map { Int(clamping: $0) } })
            guard shape.rank == given.count, port.shape.accepts(shape) else {
                throw HalcyonError(
                    .invalidArgument, "\(place): the shape \(shape) does not fit \(port.shape), where -1 is any size")
            }
        } else if shape.isVariable {
            // One open dimension follows from the number of elements.
            let open = shape.dimensions.indices.filter { shape.dimensions[$0] < 0 }
            let rest = shape.dimensions.filter { $0 > 0 }.reduce(1) {
                $0.multipliedReportingOverflow(by: $1).partialValue
            }
            if open.count == 1, rest > 0, count % rest == 0 {
                shape.dimensions[open[0]] = count / rest
            } else {
                shape = try shapes.shape(of: port, in: model, batch: 1)
            }
        }
        let expected = try shape.elementCount()
        guard count == expected else {
            throw HalcyonError(
                .invalidArgument, "\(place): expected \(expected) elements for the shape \(shape), got \(count)")
        }
        return try Tensor(
            name: port.name, elementType: port.elementType, shape: shape, data: TensorBuffer(copying: bytes))
    }

    /// Lists in lists are read one element after the other.
    private static func append(
        _ elements: [JSONValue], _ type: ElementType, _ place: String, to bytes: inout [UInt8], count: inout Int
    ) throws(HalcyonError) {
        for (index, element) in elements.enumerated() {
            if let inner = element.elements {
                try append(inner, type, "\(place)[\(index)]", to: &bytes, count: &count)
                continue
            }
            guard append(element, type, to: &bytes) else {
                throw HalcyonError(
                    .invalidArgument, "\(place)[\(index)]: \(element.compact.prefix(40)) is no \(type.rawValue)")
            }
            count += 1
        }
    }

    private static func append(text: [UInt8], to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(clamping: text.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += text
    }

    /// - Returns: whether the element is one of that type.
    private static func append(_ element: JSONValue, _ type: ElementType, to bytes: inout [UInt8]) -> Bool {
        func add(_ value: (some BitwiseCopyable)?) -> Bool {
            guard let value else { return false }
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
            return true
        }
        switch type {
        case .bytes:
            guard let text = element.text else { return false }
            append(text: Array(text.utf8), to: &bytes)
            return true
        case .bool:
            let value: UInt8? = element.flag.map { $0 ? 1 : 0 } ?? element.whole.flatMap { UInt8(exactly: $0) }
            return add(value.flatMap { $0 <= 1 ? $0 : nil })
        case .int8: return add(element.whole.flatMap { Int8(exactly: $0) })
        case .int16: return add(element.whole.flatMap { Int16(exactly: $0) })
        case .int32: return add(element.whole.flatMap { Int32(exactly: $0) })
        case .int64: return add(element.whole)
        case .uint8: return add(element.whole.flatMap { UInt8(exactly: $0) })
        case .uint16: return add(element.whole.flatMap { UInt16(exactly: $0) })
        case .uint32: return add(element.whole.flatMap { UInt32(exactly: $0) })
        case .uint64: return add(element.unsigned)
        case .fp32: return add(element.real.map { Float($0) })
        case .fp64: return add(element.real)
        case .bf16: return add(element.real.map { UInt16(truncatingIfNeeded: Float($0).bitPattern >> 16) })
        case .fp16: return add(element.real.map { HalfNumber.bits(Float($0)) })
        }
    }
}

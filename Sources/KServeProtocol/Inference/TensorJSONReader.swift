internal import JSONText
internal import Tensors

/// Reads the `data` of an input, nested lists or one flat list, into a tensor's bytes.
struct TensorJSONReader {
    let name: String
    let elementType: ElementType
    let shape: TensorShape
    /// What the tensor's bytes count against.
    let budget: ByteBudget
    /// Whether one value is read that stands for a list of one.
    var isSingle = false

    func read(_ scanner: inout JSONScanner) throws -> TensorBuffer {
        let count = try shape.elementCount()
        switch elementType {
        case .bool: return try numbers(&scanner, count) { try $0.bool() }
        case .uint8: return try integers(&scanner, count, UInt8.self)
        case .uint16: return try integers(&scanner, count, UInt16.self)
        case .uint32: return try integers(&scanner, count, UInt32.self)
        case .uint64: return try integers(&scanner, count, UInt64.self)
        case .int8: return try integers(&scanner, count, Int8.self)
        case .int16: return try integers(&scanner, count, Int16.self)
        case .int32: return try integers(&scanner, count, Int32.self)
        case .int64: return try integers(&scanner, count, Int64.self)
        case .fp32: return try numbers(&scanner, count) { try $0.float() }
        case .fp64: return try numbers(&scanner, count) { try $0.double() }
        case .fp16: return try numbers(&scanner, count) { HalfPrecision.fp16(try $0.double()) }
        case .bf16: return try numbers(&scanner, count) { HalfPrecision.bf16(try $0.double()) }
        case .bytes: return try strings(&scanner, count)
        }
    }

    private func integers<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ scanner: inout JSONScanner, _ count: Int, _ type: Integer.Type
    ) throws -> TensorBuffer {
        try numbers(&scanner, count) { scanner in
            let value: Integer?
            switch try scanner.number() {
            case .integer(let number): value = Integer(exactly: number)
            case .unsigned(let number): value = Integer(exactly: number)
            case .double(let number): value = Integer(exactly: number)
            }
            guard let value else {
                throw scanner.error(
                    "input '\(name)' has a number that is no \(elementType.rawValue) (\(Integer.min) to \(Integer.max))"
                )
            }
            return value
        }
    }

    private func numbers<Element: BitwiseCopyable>(
        _ scanner: inout JSONScanner, _ count: Int, _ element: (inout JSONScanner) throws -> Element
    ) throws -> TensorBuffer {
        // A text has at least two bytes for each element, so a shape can't ask for more memory than the text is long.
        guard count <= scanner.remaining else { throw mismatch }
        let storage = try budget.allocate(byteCount: count * MemoryLayout<Element>.stride)
        let elements = storage.baseAddress.bindMemory(to: Element.self, capacity: max(count, 1))
        var filled = 0
        try each(&scanner) { scanner in
            guard filled < count else { throw mismatch }
            elements[filled] = try element(&scanner)
            filled += 1
        }
        guard filled == count else { throw mismatch }
        return TensorBuffer(storage)
    }

    private func strings(_ scanner: inout JSONScanner, _ count: Int) throws -> TensorBuffer {
        var bytes = BodyCollector(
            expected: nil, alignedOffset: 0, limit: Int.max / 2, limitName: "63 bits", budget: budget)
        var filled = 0
        try each(&scanner) { scanner in
            guard filled < count else { throw mismatch }
            var text = try scanner.string()
            guard let length = UInt32(exactly: text.utf8.count) else { throw mismatch }
            try withUnsafeBytes(of: length.littleEndian) { try bytes.append($0) }
            try text.withUTF8 { try bytes.append(UnsafeRawBufferPointer($0)) }
            filled += 1
        }
        guard filled == count else { throw mismatch }
        return bytes.finish()
    }

    /// Calls `element` for each value of a list and of the lists in it.
    private func each(_ scanner: inout JSONScanner, _ element: (inout JSONScanner) throws -> Void) throws {
        if isSingle {
            try expectElement(&scanner)
            return try element(&scanner)
        }
        let isNumeric = elementType != .bool && elementType != .bytes
        try scanner.array { scanner in
            if isNumeric, scanner.isAtNumber() {
                try element(&scanner)
            } else if try scanner.kind() == .array {
                try each(&scanner, element)
            } else {
                try expectElement(&scanner)
                try element(&scanner)
            }
        }
    }

    private func expectElement(_ scanner: inout JSONScanner) throws {
        let kind = try scanner.kind()
        let expected: JSONScanner.Kind =
            switch elementType {
            case .bool: .bool
            case .bytes: .string
            default: .number
            }
        guard kind != expected else { return }
        let word =
            switch elementType {
            case .bool: "boolean"
            case .bytes: "string"
            case .fp16, .bf16, .fp32, .fp64: "number"
            case .uint8, .uint16, .uint32, .uint64: "unsigned-integer"
            default: "signed-integer"
            }
        throw HalcyonError(
            .invalidArgument,
            "Unable to parse 'data': attempt to access JSON non-\(word) as \(word) in input '\(name.shortened())'"
        )
    }

    private var mismatch: HalcyonError {
        HalcyonError(
            .invalidArgument,
            "Failed to parse 'data' field: shape does not match true shape of input '\(name)', which is to have the "
                + "shape \(shape)")
    }
}

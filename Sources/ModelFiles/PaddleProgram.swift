internal import ProtobufWire

/// What of a PaddlePaddle program can be judged without a library: the names of the variables that outlive a run, which
/// are weights, and each of which may be a file's name.
struct PaddleProgram {
    private(set) var persistentVariables: [String] = []

    /// Reads the program's message: blocks in field 1, and in each its variables in field 3.
    init(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        try ProtobufFields.each(bytes) { number, value in
            guard number == 1, let block = value.bytes else { return }
            try ProtobufFields.each(block) { number, value in
                if number == 3, let variable = value.bytes { try readVariable(variable) }
            }
        }
    }

    private mutating func readVariable(_ bytes: Slice<UnsafeRawBufferPointer>) throws {
        var name = ""
        var isPersistent = false
        try ProtobufFields.each(bytes) { number, value in
            if number == 1 { name = value.text ?? "" }
            if number == 3, let flag = value.number { isPersistent = flag != 0 }
        }
        if isPersistent { persistentVariables.append(name) }
    }
}

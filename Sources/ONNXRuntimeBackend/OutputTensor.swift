internal import COnnxRuntime
internal import LibraryFiles
internal import Tensors

extension Session {
    /// An output of a run as a tensor over the engine's own memory, which goes with the last reference to it.
    ///
    /// - Parameter inputs: what the engine has read. An output that the model does not compute may be such memory,
    ///   which is not ours to hand out.
    /// - Returns: the tensor, and whether it is a copy of an input.
    func tensor(
        _ value: Handle, _ port: Port, inputs: [InputValue]
    ) throws(HalcyonError) -> (tensor: Tensor, isInput: Bool) {
        let shape = try shape(of: value, port)
        let (data, isInput) =
            port.elementType == .bytes
            ? (try texts(value, count: try shape.elementCount(), Self.attempt(port)), false)
            : try bytes(value, port, byteCount: try shape.byteCount(of: port.elementType), inputs: inputs)
        return (try Tensor(name: port.name, elementType: port.elementType, shape: shape, data: data), isInput)
    }

    private static func attempt(_ port: Port) -> String { "ONNX Runtime does not give output '\(port.name)'" }

    /// The shape of an output of a run.
    func shape(of value: Handle, _ port: Port) throws(HalcyonError) -> TensorShape {
        let functions = library.functions
        let attempt = Self.attempt(port)
        var isTensor: Int32 = 0
        try library.check(functions.is_tensor(value.pointer, &isTensor), attempt)
        guard isTensor != 0 else { throw HalcyonError(.unsupported, "output '\(port.name)' is no tensor") }
        let information = try library.make(free: functions.release_tensor_type_and_shape_info, attempt) {
            functions.get_tensor_type_and_shape(value.pointer, $0)
        }
        let (number, dimensions) = try Self.typeAndShape(information.pointer, library, attempt)
        guard number == port.elementType.onnxNumber else {
            throw HalcyonError(
                .internal, "output '\(port.name)' is \(ElementType.onnxName(number)), not \(port.elementType.rawValue)")
        }
        return TensorShape(dimensions)
    }

    /// A value over memory of somebody else's, into which a run writes an output.
    func value(over storage: TensorStorage, _ port: Port, _ shape: TensorShape) throws(HalcyonError) -> Handle {
        let functions = library.functions
        let dimensions = shape.dimensions.map(Int64.init)
        return try library.make(
            free: functions.release_value,
            "ONNX Runtime does not write output '\(port.name)' of shape \(shape)"
        ) {
            functions.create_tensor_with_data(
                runtime.memory, storage.baseAddress, storage.byteCount, dimensions, dimensions.count,
                port.elementType.onnxNumber, $0)
        }
    }

    /// Where the numbers of an output of a run are.
    func address(of value: Handle, _ port: Port) throws(HalcyonError) -> UnsafeMutableRawPointer {
        var start: UnsafeMutableRawPointer?
        let attempt = Self.attempt(port)
        try library.check(library.functions.get_tensor_mutable_data(value.pointer, &start), attempt)
        guard let start else { throw HalcyonError(.internal, attempt) }
        return start
    }

    private func bytes(
        _ value: Handle, _ port: Port, byteCount: Int, inputs: [InputValue]
    ) throws(HalcyonError) -> (data: TensorBuffer, isInput: Bool) {
        guard byteCount > 0 else { return (TensorBuffer(TensorStorage.allocate(byteCount: 0)), false) }
        let start = try address(of: value, port)
        let data = TensorBuffer(
            TensorStorage(owning: start, byteCount: byteCount) { [self] _ in withExtendedLifetime((self, value)) {} })
        guard inputs.contains(where: { $0.data.overlaps(data) }) else { return (data, false) }
        return (data.withUnsafeBytes { TensorBuffer(copying: $0) }, true)
    }

    /// The texts with a length before each.
    private func texts(_ value: Handle, count: Int, _ attempt: String) throws(HalcyonError) -> TensorBuffer {
        guard count > 0 else { return TensorBuffer(TensorStorage.allocate(byteCount: 0)) }
        let functions = library.functions
        var length = 0
        try library.check(functions.get_string_tensor_data_length(value.pointer, &length), attempt)
        var text = [UInt8](repeating: 0, count: length)
        var offsets = [Int](repeating: 0, count: count)
        try library.check(
            functions.get_string_tensor_content(value.pointer, &text, length, &offsets, count), attempt)
        offsets.append(length)
        let storage = TensorStorage.allocate(byteCount: length + 4 * count)
        let target = UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: storage.byteCount)
        var position = 0
        for (start, end) in zip(offsets, offsets.dropFirst()) {
            guard start <= end, end <= length, let size = UInt32(exactly: end - start) else {
                throw HalcyonError(.internal, "\(attempt): its texts do not lie one after the other")
            }
            target.storeBytes(of: size.littleEndian, toByteOffset: position, as: UInt32.self)
            text.withUnsafeBytes { text in
                UnsafeMutableRawBufferPointer(rebasing: target[(position + 4)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: text[start..<end]))
            }
            position += 4 + end - start
        }
        return TensorBuffer(storage)
    }
}

internal import COnnxRuntime
internal import LibraryFiles
internal import ModelRuntime
internal import Tensors

/// An input as the engine takes it: the request's own bytes where possible, and texts in a form of its own.
struct InputValue {
    let handle: Handle
    /// What the engine reads; it has to live until the run is over.
    let data: TensorBuffer
    /// What was copied to there, if the copy may still be going on.
    let source: TensorBuffer?

    /// A value that somebody has made over data in a GPU's memory.
    init(handle: Handle, data: TensorBuffer, source: TensorBuffer) {
        self.handle = handle
        self.data = data
        self.source = source
    }

    /// - Throws: `invalidArgument` where the tensor is not what the model's port takes.
    init(_ tensor: Tensor, port: Session.Port, runtime: Runtime) throws(HalcyonError) {
        source = nil
        guard tensor.elementType == .bytes, port.elementType == .bytes else {
            try Self.check(tensor, port)
            data = Self.aligned(tensor)
            handle = try Self.tensor(tensor, over: data, runtime, memory: runtime.memory)
            return
        }
        data = tensor.data
        handle = try Self.texts(tensor, runtime)
    }

    /// - Throws: `invalidArgument` where a tensor of numbers is not what the model's port takes.
    static func check(_ tensor: Tensor, _ port: Session.Port) throws(HalcyonError) {
        guard tensor.elementType == port.elementType else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(port.name)' must be \(port.elementType.rawValue), but is \(tensor.elementType.rawValue)")
        }
        let byteCount = try tensor.shape.byteCount(of: tensor.elementType)
        guard tensor.data.byteCount == byteCount else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(port.name)' of shape \(tensor.shape) takes \(byteCount) bytes, "
                    + "but has \(tensor.data.byteCount)")
        }
    }

    /// The bytes at an address that suits their elements, as the engine's kernels need it; a slice of a message may
    /// begin anywhere.
    private static func aligned(_ tensor: Tensor) -> TensorBuffer {
        let alignment = UInt(tensor.elementType.byteSize ?? 1)
        guard UInt(bitPattern: tensor.data.baseAddress) % alignment != 0 else { return tensor.data }
        return tensor.data.withUnsafeBytes { TensorBuffer(copying: $0) }
    }

    /// - Parameter memory: the engine's word for where the data are.
    static func tensor(
        _ tensor: Tensor, over data: TensorBuffer, _ runtime: Runtime, memory: OpaquePointer
    ) throws(HalcyonError) -> Handle {
        let functions = runtime.library.functions
        let dimensions = tensor.shape.dimensions.map(Int64.init)
        return try runtime.library.make(
            free: functions.release_value,
            "ONNX Runtime does not take input '\(tensor.name)' of shape \(tensor.shape)"
        ) {
            functions.create_tensor_with_data(
                memory, UnsafeMutableRawPointer(mutating: data.baseAddress), data.byteCount, dimensions,
                dimensions.count, tensor.elementType.onnxNumber, $0)
        }
    }

    // MARK: Texts

    /// The engine takes texts that end with a zero byte, and copies them.
    private static func texts(_ tensor: Tensor, _ runtime: Runtime) throws(HalcyonError) -> Handle {
        let functions = runtime.library.functions
        let dimensions = tensor.shape.dimensions.map(Int64.init)
        let attempt = "ONNX Runtime does not take input '\(tensor.name)' of shape \(tensor.shape)"
        let handle = try runtime.library.make(free: functions.release_value, attempt) {
            functions.create_tensor(
                runtime.allocator, dimensions, dimensions.count, ElementType.bytes.onnxNumber, $0)
        }
        let elements = try BytesElements.all(of: tensor)
        let expected = try tensor.shape.elementCount()
        guard elements.count == expected else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(tensor.name)' of shape \(tensor.shape) takes \(expected) elements, but has "
                    + "\(elements.count)")
        }
        guard !elements.isEmpty else { return handle }
        var text: [CChar] = []
        text.reserveCapacity(tensor.data.byteCount)
        var starts: [Int] = []
        for (index, element) in elements.enumerated() {
            starts.append(text.count)
            let hasZero = element.withUnsafeBytes { bytes in
                text.append(contentsOf: bytes.bindMemory(to: CChar.self))
                return bytes.contains(0)
            }
            guard !hasZero else {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(tensor.name)': element \(index) holds a zero byte, which texts of ONNX Runtime can't")
            }
            text.append(0)
        }
        let status = text.withUnsafeBufferPointer { text -> OpaquePointer? in
            guard let base = text.baseAddress else { return nil }
            return functions.fill_string_tensor(handle.pointer, starts.map { base + $0 }, starts.count)
        }
        try runtime.library.check(status, attempt)
        return handle
    }
}

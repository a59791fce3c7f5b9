internal import COpenVINO
internal import Tensors

/// How a batch that is too small for a model is filled up.
struct BatchPadding {
    let rows: Int
    let paddedRows: Int
}

/// An input in the form in which the engine can read it, which is the request's own bytes wherever possible.
struct InputTensor {
    let name: String
    let elementType: openvino_element_type_t
    let shape: TensorShape
    let data: TensorBuffer

    /// - Throws: `invalidArgument` where the tensor is not what the model's port takes.
    init(_ tensor: Tensor, port: Port, padding: BatchPadding?) throws(HalcyonError) {
        guard tensor.elementType == port.elementType, let number = tensor.elementType.openVINONumber else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(port.name)' must be \(port.elementType.rawValue), but is \(tensor.elementType.rawValue)")
        }
        guard tensor.data.placement.isHostAccessible else {
            throw HalcyonError(.unsupported, "input '\(port.name)' is not in the processor's memory")
        }
        let byteCount = try tensor.shape.byteCount(of: tensor.elementType)
        guard tensor.data.byteCount == byteCount else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(port.name)' of shape \(tensor.shape) takes \(byteCount) bytes, "
                    + "but has \(tensor.data.byteCount)")
        }
        name = port.name
        elementType = number
        if let padding {
            guard tensor.shape.dimensions.first == padding.rows else {
                throw HalcyonError(
                    .invalidArgument, "input '\(port.name)' of shape \(tensor.shape) has no \(padding.rows) rows")
            }
            let shape = TensorShape([padding.paddedRows] + tensor.shape.dimensions.dropFirst())
            data = Self.copy(tensor.data, byteCount: try shape.byteCount(of: tensor.elementType))
            self.shape = shape
        } else {
            let alignment = UInt(tensor.elementType.byteSize ?? 1)
            // The engine's kernels take addresses that suit the element; a slice of a message may begin anywhere.
            let isAligned = UInt(bitPattern: tensor.data.baseAddress) % alignment == 0
            data = isAligned ? tensor.data : Self.copy(tensor.data, byteCount: byteCount)
            shape = tensor.shape
        }
    }

    /// The bytes in memory of their own, followed by zeros.
    private static func copy(_ data: TensorBuffer, byteCount: Int) -> TensorBuffer {
        let storage = TensorStorage.allocate(byteCount: byteCount)
        data.withUnsafeBytes { bytes in
            let target = UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: byteCount)
            target.copyMemory(from: bytes)
            target[bytes.count...].initializeMemory(as: UInt8.self, repeating: 0)
        }
        return TensorBuffer(storage)
    }
}

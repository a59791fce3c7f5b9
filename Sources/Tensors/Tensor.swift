/// A named tensor: what a request brings, what a model answers, and what passes between them.
public struct Tensor: Sendable {
    /// The name, by which a model tells its inputs and outputs apart.
    public var name: String
    /// The elements' type.
    public var elementType: ElementType
    /// The complete shape, with the batch dimension where the model has one.
    public var shape: TensorShape
    /// The elements, row-major, in the machine's byte order. An element of `bytes` is a 32-bit little-endian length
    /// followed by that many bytes, as on the wire.
    public var data: TensorBuffer

    /// A tensor over bytes that already exist.
    ///
    /// - Throws: `invalidArgument` where the bytes are not as many as type and shape say.
    public init(name: String, elementType: ElementType, shape: TensorShape, data: TensorBuffer) throws(HalcyonError) {
        if elementType == .bytes {
            _ = try shape.elementCount()
        } else {
            let expected = try shape.byteCount(of: elementType)
            guard data.byteCount == expected else {
                throw HalcyonError(
                    .invalidArgument,
                    "tensor '\(name)': expected \(expected) bytes for \(elementType.rawValue) of shape \(shape), "
                        + "got \(data.byteCount)")
            }
        }
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.data = data
    }

    /// A tensor whose bytes nobody has compared with its type and shape yet: the engine does so for each request.
    package init(unchecked name: String, elementType: ElementType, shape: TensorShape, data: TensorBuffer) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.data = data
    }

    /// A tensor that copies an array's elements.
    ///
    /// - Throws: `invalidArgument` where the number of elements is not the shape's.
    public init<Element: TensorElement>(name: String, shape: TensorShape, _ elements: [Element]) throws(HalcyonError) {
        try self.init(name: name, elementType: Element.elementType, shape: shape, data: TensorBuffer(copying: elements))
    }

    /// The elements as an array.
    ///
    /// - Throws: `invalidArgument` where the tensor holds another type, or lives where the processor can't read it.
    public func elements<Element: TensorElement>(as type: Element.Type = Element.self) throws(HalcyonError) -> [Element]
    {
        guard elementType == Element.elementType else {
            throw HalcyonError(
                .invalidArgument,
                "tensor '\(name)' holds \(elementType.rawValue), not \(Element.elementType.rawValue)")
        }
        guard data.placement.isHostAccessible else {
            throw HalcyonError(
                .invalidArgument, "tensor '\(name)' lives in \(data.placement), not in the processor's memory")
        }
        let count = data.byteCount / MemoryLayout<Element>.stride
        return [Element](unsafeUninitializedCapacity: count) { elements, initialized in
            data.withUnsafeBytes { UnsafeMutableRawBufferPointer(elements).copyMemory(from: $0) }
            initialized = count
        }
    }
}

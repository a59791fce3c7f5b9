internal import Tensors

/// An output of a response, in memory of a program's.
final class ResponseOutput: @unchecked Sendable {
    let name: String
    let nameText: CText
    let type: ElementType
    let memory: ResponseAllocatorObject.Memory
    let rank: Int
    let dimensions: UnsafeMutablePointer<Int64>
    private let allocator: ResponseAllocatorObject

    /// Gives the memory back when it goes.
    init(
        _ tensor: Tensor, name nameText: CText, _ memory: ResponseAllocatorObject.Memory,
        of allocator: ResponseAllocatorObject
    ) {
        name = tensor.name
        self.nameText = nameText
        type = tensor.elementType
        self.memory = memory
        self.allocator = allocator
        rank = tensor.shape.rank
        dimensions = .allocate(capacity: max(1, rank))
        for (index, size) in tensor.shape.dimensions.enumerated() { dimensions[index] = Int64(size) }
    }

    deinit {
        dimensions.deallocate()
        allocator.free(memory)
    }
}

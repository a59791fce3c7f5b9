private import Glibc
package import Tensors
internal import Vision

/// The pictures of a folder as inputs: as they are for a model that takes encoded ones, decoded and brought to size for
/// one that takes pixels.
package enum PictureFolder {
    /// Pictures that are taken from a folder, in the order of their names.
    private static let limit = 64
    private static let endings = [".jpg", ".jpeg", ".png"]

    /// - Throws: `invalidArgument` for a folder without pictures, or a model that takes none.
    package static func requests(
        _ folder: String, for model: ModelDescription, batch: Int
    ) throws(HalcyonError) -> RequestData {
        try RequestData.check(batch, model)
        let inputs = model.inputs.filter { !$0.isOptional }
        guard inputs.count == 1, let input = inputs.first else {
            throw HalcyonError(
                .invalidArgument,
                "--pictures is for models with one input, and '\(model.name)' has \(inputs.count): use --input-data")
        }
        var steps: [RequestData.Step] = []
        for path in try files(folder) { steps.append([try tensor(path, input, model)]) }
        return try RequestData.batched([steps], for: model, batch: batch)
    }

    private static func tensor(
        _ path: String, _ input: ModelDescription.Port, _ model: ModelDescription
    ) throws(HalcyonError) -> Tensor {
        // Without a batch dimension of the model's own, a picture may have one of 1.
        let hasLeadingOne = model.maxBatchSize == 0 && input.shape.rank == 4
        let item = hasLeadingOne ? TensorShape(Array(input.shape.dimensions.dropFirst())) : input.shape
        if input.elementType == .bytes, input.shape.accepts([1]) {
            let file = try InputFile.read(path)
            let bytes = withUnsafeBytes(of: UInt32(clamping: file.count).littleEndian) { Array($0) } + file
            return try Tensor(name: input.name, elementType: .bytes, shape: [1], data: TensorBuffer(copying: bytes))
        }
        if input.elementType == .uint8, input.shape.rank == 1, input.shape.isVariable {
            let file = try InputFile.read(path)
            return try Tensor(
                name: input.name, elementType: .uint8, shape: TensorShape([file.count]),
                data: TensorBuffer(copying: file))
        }
        let plan: PreprocessingPlan
        do {
            plan = try PreprocessingPlan(elementType: input.elementType, dimensions: item, fit: .letterbox)
        } catch {
            throw error.prefixed("--pictures: input '\(input.name)' of model '\(model.name)' takes no pictures: ")
        }
        let (pixels, _) = plan.run(try PictureDecoder.read(path))
        return try Tensor(
            name: input.name, elementType: input.elementType, shape: hasLeadingOne ? item.prepending(1) : item,
            data: pixels)
    }

    private static func files(_ folder: String) throws(HalcyonError) -> [String] {
        guard let directory = opendir(folder) else {
            throw HalcyonError(
                .invalidArgument,
                "--pictures: the folder '\(folder)' can't be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if endings.contains(where: name.lowercased().hasSuffix) { names.append(name) }
        }
        guard !names.isEmpty else {
            throw HalcyonError(.invalidArgument, "--pictures: the folder '\(folder)' has no .jpg, .jpeg or .png file")
        }
        return names.sorted().prefix(limit).map { "\(folder)/\($0)" }
    }
}

internal import ModelConfiguration
internal import ModelRuntime
internal import Tensors

/// The samples of `model_warmup` with their values.
enum WarmUpItems {
    /// - Parameter directory: the model's folder; files of values lie in its folder `warmup`.
    /// - Throws: `invalidArgument` for a file whose size does not fit; `unsupported` for one outside of the folder.
    static func read(_ configuration: ModelConfiguration, directory: String) throws(HalcyonError) -> [WarmUpItem] {
        var items: [WarmUpItem] = []
        for sample in configuration.warmUps {
            var inputs: [Tensor] = []
            for (name, input) in sample.inputs.sorted(by: { $0.key < $1.key }) {
                inputs.append(try tensor(name, input, of: sample, configuration, directory))
            }
            items.append(
                WarmUpItem(
                    name: sample.name, batchSize: max(1, sample.batchSize), count: sample.count, inputs: inputs))
        }
        return items
    }

    private static func tensor(
        _ name: String, _ input: WarmUpSample.Input, of sample: WarmUpSample, _ configuration: ModelConfiguration,
        _ directory: String
    ) throws(HalcyonError) -> Tensor {
        let shape = configuration.maxBatchSize > 0 ? input.dimensions.prepending(1) : input.dimensions
        let bytes: [UInt8]
        switch input.data {
        case .zero: bytes = try fill(input, shape) { 0 }
        case .random:
            // Text of random length would be none; its elements are empty.
            bytes = try fill(input, shape) { input.elementType == .bytes ? 0 : UInt8.random(in: 0...255) }
        case .file(let file):
            let folder = try FileSystem.realPath("\(directory)/warmup")
            let path = try FileSystem.confine("\(folder)/\(file)", to: folder)
            bytes = try FileSystem.read(path, most: 1 << 30)
        }
        let data = Buffer(copying: bytes)
        do {
            return try Tensor(name: name, elementType: input.elementType, shape: shape, data: data)
        } catch {
            throw error.prefixed("warmup sample '\(sample.name)' of model '\(configuration.name)': ")
        }
    }

    private static func fill(
        _ input: WarmUpSample.Input, _ shape: Shape, _ byte: () -> UInt8
    ) throws(HalcyonError) -> [UInt8] {
        // An element of text is at least its length, which is 0.
        let elementSize = input.elementType.byteSize ?? 4
        let (count, overflow) = try shape.elementCount().multipliedReportingOverflow(by: elementSize)
        guard !overflow, count <= 1 << 32 else {
            throw HalcyonError(.invalidArgument, "a warmup input of shape \(shape) does not fit into memory")
        }
        return (0..<count).map { _ in byte() }
    }
}

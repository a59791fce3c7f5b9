internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// The samples of `model_warmup` with their values.
enum WarmUpItems {
    /// Those of no items are left out, as Triton does.
    ///
    /// - Parameters:
    ///   - directory: the model's folder; files of values lie in its folder `warmup`.
    ///   - followsLinks: whether links in that folder may lead out of it.
    /// - Throws: `invalidArgument` for a file whose size does not fit, and for more bytes than a warm-up may have;
    ///   `unsupported` for a file outside of the folder.
    static func read(
        _ configuration: ModelConfiguration, directory: String, followsLinks: Bool = false
    ) throws(HalcyonError) -> [WarmUpItem] {
        var items: [WarmUpItem] = []
        var total = 0
        let names = Set(configuration.inputs.map(\.name))
        for sample in configuration.warmUps where sample.batchSize > 0 {
            var inputs: [Tensor] = []
            for (name, input) in sample.inputs.sorted(by: { $0.key < $1.key }) {
                do {
                    let tensor = try tensor(
                        name, input, configuration, file(of: input, directory, followsLinks),
                        limit: WarmUp.byteLimit - total)
                    total += tensor.data.byteCount
                    inputs.append(tensor)
                } catch {
                    throw error.prefixed("warmup sample '\(sample.name)' of model '\(configuration.name)': ")
                }
            }
            items.append(
                WarmUpItem(
                    name: sample.name, batchSize: sample.batchSize, count: sample.count,
                    inputs: inputs.filter { names.contains($0.name) },
                    controls: inputs.filter { !names.contains($0.name) }))
        }
        return items
    }

    /// The path of an input's file; empty for one without.
    private static func file(
        of input: WarmUpSample.Input, _ directory: String, _ followsLinks: Bool
    ) throws(HalcyonError) -> String {
        guard case .file(let file) = input.data else { return "" }
        let folder = try FileSystem.realPath("\(directory)/warmup")
        return try followsLinks ? "\(folder)/\(file)" : FileSystem.confine("\(folder)/\(file)", to: folder)
    }

    /// - Parameters:
    ///   - path: of its file, if it has one.
    ///   - limit: the bytes that it may have.
    private static func tensor(
        _ name: String, _ input: WarmUpSample.Input, _ configuration: ModelConfiguration, _ path: String,
        limit: Int
    ) throws(HalcyonError) -> Tensor {
        let shape = configuration.maxBatchSize > 0 ? input.dimensions.prepending(1) : input.dimensions
        let data: TensorBuffer
        switch input.data {
        case .zero: data = try filled(name, input, shape, limit: limit) { 0 }
        case .random:
            // Text of random length would be none; its elements are empty.
            var generator = FastGenerator(seed: UInt64.random(in: 0...UInt64.max))
            data = try filled(name, input, shape, limit: limit) {
                input.elementType == .bytes ? 0 : generator.next()
            }
        case .file:
            data = TensorBuffer(copying: try FileSystem.read(path, most: limit))
        }
        return try Tensor(name: name, elementType: input.elementType, shape: shape, data: data)
    }

    private static func filled(
        _ name: String, _ input: WarmUpSample.Input, _ shape: TensorShape, limit: Int, _ next: () -> UInt64
    ) throws(HalcyonError) -> TensorBuffer {
        // An element of text is at least its length, which is 0.
        let (count, overflow) = try shape.elementCount().multipliedReportingOverflow(
            by: input.elementType.byteSize ?? 4)
        guard !overflow, count <= limit else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(name)' of shape \(shape) is larger than the \(WarmUp.byteLimit) bytes that all samples may "
                    + "have together")
        }
        let storage = TensorStorage.allocate(byteCount: count)
        let bytes = UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: count)
        for start in stride(from: 0, to: count, by: 8) {
            withUnsafeBytes(of: next()) { word in
                for index in 0..<min(8, count - start) { bytes[start + index] = word[index] }
            }
        }
        return TensorBuffer(storage)
    }
}

/// SplitMix64: values for a warm-up need to be quick and no more; the system's generator is a call of the kernel each.
private struct FastGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

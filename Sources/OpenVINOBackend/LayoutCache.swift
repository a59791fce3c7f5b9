private import Glibc
internal import ModelConfigurations
internal import Tensors

/// Remembers, in the folder of compiled models, the inputs and outputs of models that take long to read.
///
/// The engine converts a TensorFlow model when it reads it, which takes longer than all the rest of loading, and its
/// own cache of compiled models makes that unnecessary; only the names, types and shapes are missing then. Kept are
/// the formats of one file: for others a change of the model may not show in the file that is named.
struct LayoutCache: Sendable {
    private let file: String
    /// Everything that the layout depends on. An entry that says anything else is out of date.
    private let stamp: [String]

    /// `nil` where the layout can't be kept.
    init?(
        path: String, engineVersion: String, configuration: ModelConfiguration, parameters: ModelParameters
    ) {
        let format = ModelFormat(path: path)
        guard let directory = parameters.cacheDirectory, !parameters.reshapesInputs,
            format == .tensorFlowGraph || format == .tensorFlowLite
        else { return nil }
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let tensors = (configuration.inputs + configuration.outputs).map(\.name)
        stamp = [
            "halcyon tensor layout 1", engineVersion, path, "\(status.st_size)",
            "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)", "\(configuration.maxBatchSize)",
            tensors.joined(separator: "\t"),
        ]
        guard !stamp.contains(where: { $0.contains("\n") }) else { return nil }
        // FNV-1a, so that each model has a file of its own.
        let hash = path.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        file = "\(directory)/\(String(hash, radix: 16)).layout"
    }

    /// Whether the file alone makes a model of this layout.
    func keeps(_ layout: TensorLayout) -> Bool { layout.batch == .open || layout.batch == .none }

    /// The layout of an earlier load of the same file, or `nil`.
    func layout() -> TensorLayout? {
        guard let text = read() else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > stamp.count, lines.prefix(stamp.count).elementsEqual(stamp, by: { $0 == $1 }) else {
            return nil
        }
        var inputs: [Port] = []
        var outputs: [Port] = []
        for line in lines.dropFirst(stamp.count + 1) {
            guard let (direction, port) = Self.port(line) else { return nil }
            if direction == .input { inputs.append(port) } else { outputs.append(port) }
        }
        switch lines[stamp.count] {
        case "open": return TensorLayout(inputs: inputs, outputs: outputs, batch: .open)
        case "none": return TensorLayout(inputs: inputs, outputs: outputs, batch: .none)
        default: return nil
        }
    }

    /// Keeps a layout. One that can't be kept, or a folder that can't be written, costs the next load time and
    /// nothing else.
    func store(_ layout: TensorLayout) {
        guard keeps(layout) else { return }
        var lines = stamp + [layout.batch == .open ? "open" : "none"]
        lines += layout.inputs.map { Self.line(.input, $0) } + layout.outputs.map { Self.line(.output, $0) }
        guard !(layout.inputs + layout.outputs).contains(where: { $0.name.contains("\n") }) else { return }
        write(lines.joined(separator: "\n"))
    }

    /// Direction, element type, dimensions as `least:most` (or `?` for an unknown rank), name.
    private static func line(_ direction: Port.Direction, _ port: Port) -> String {
        let dimensions = port.dimensions.map { dimensions in
            dimensions.map { "\($0.minimum):\($0.maximum.map(String.init) ?? "")" }.joined(separator: ",")
        }
        return [direction.rawValue, port.elementType.rawValue, dimensions ?? "?", port.name].joined(separator: "\t")
    }

    private static func port(_ line: Substring) -> (Port.Direction, Port)? {
        let fields = line.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, let direction = Port.Direction(rawValue: String(fields[0])),
            let elementType = ElementType(rawValue: String(fields[1]))
        else { return nil }
        var dimensions: [Port.Dimension]?
        if fields[2] != "?" {
            var known: [Port.Dimension] = []
            for dimension in fields[2].split(separator: ",") {
                let bounds = dimension.split(separator: ":", omittingEmptySubsequences: false)
                guard bounds.count == 2, let minimum = Int64(bounds[0]) else { return nil }
                known.append(Port.Dimension(minimum: minimum, maximum: Int64(bounds[1])))
            }
            dimensions = known
        }
        return (direction, Port(name: String(fields[3]), elementType: elementType, dimensions: dimensions))
    }

    private func read() -> String? {
        guard let stream = fopen(file, "re") else { return nil }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, stream)
        return count < bytes.count ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    /// Under another name first, so that nobody reads half a file.
    private func write(_ text: String) {
        let draft = "\(file).\(getpid())"
        guard let stream = fopen(draft, "we") else { return }
        let bytes = Array(text.utf8)
        let isWritten = fwrite(bytes, 1, bytes.count, stream) == bytes.count
        guard fclose(stream) == 0, isWritten, rename(draft, file) == 0 else {
            unlink(draft)
            return
        }
    }
}

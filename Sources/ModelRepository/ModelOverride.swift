public import Tensors

/// What a request to load brings in place of what lies in the repository.
public struct ModelOverride: Sendable {
    /// Bytes of all files together.
    public static let maximumByteCount = 2 << 30
    /// Files of one model.
    public static let maximumFileCount = 1000

    /// Files of compiled models, and what is said of them.
    private static let compiledSuffixes = [".blob", ".blob.json"]

    /// The model's configuration in JSON, in place of `config.pbtxt`.
    public var configuration: String
    /// The model's files by their path in its folder, `1/model.onnx` for instance. Where there are any, nothing is
    /// taken from the repository.
    public var files: [String: TensorBuffer]

    /// A configuration, and the files of a model that lies in no repository.
    public init(configuration: String, files: [String: TensorBuffer] = [:]) {
        self.configuration = configuration
        self.files = files
    }

    /// - Throws: `invalidArgument` for a path that leads out of the model's folder, or for too much.
    func check() throws(HalcyonError) {
        guard files.count <= Self.maximumFileCount else {
            throw HalcyonError(.invalidArgument, "at most \(Self.maximumFileCount) files can be given")
        }
        var total = 0
        for (path, content) in files {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 255
                    && !part.unicodeScalars.contains { $0.value < 0x20 || $0 == "\\" || $0.value == 0x7F }
            }
            guard isPlain, (2...8).contains(parts.count) else {
                throw HalcyonError(
                    .invalidArgument,
                    "'\(path.prefix(200))' is no path of a file in a version folder, as 1/model.onnx is")
            }
            // What an engine has compiled is run as it is, and only the operator can vouch for it.
            guard !Self.compiledSuffixes.contains(where: path.lowercased().hasSuffix) else {
                throw HalcyonError(
                    .unsupported,
                    "'\(path.prefix(200))' is a compiled model, which a request can't bring: it has to lie in the "
                        + "repository"
                )
            }
            let (sum, overflow) = total.addingReportingOverflow(content.byteCount)
            guard !overflow, sum <= Self.maximumByteCount else {
                throw HalcyonError(
                    .invalidArgument, "the files of a model may have at most \(Self.maximumByteCount) bytes together")
            }
            total = sum
        }
    }
}

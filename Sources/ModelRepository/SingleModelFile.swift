internal import Tensors

/// A model that is one file, or one folder, and lies in no repository.
struct SingleModelFile: Hashable {
    /// The file's name without its ending.
    let name: ModelName
    /// The folder that it lies in, without links.
    let folder: String
    /// Its name there.
    let filename: String

    /// What a `config.pbtxt` beside it would say: everything else comes from the model itself.
    var configuration: String {
        "default_model_filename: \"\(filename.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"\n"
    }

    /// The models of files.
    ///
    /// - Throws: `notFound` for a path where there is nothing; `invalidArgument` for a name that no model can have, or
    ///   that two of them would have.
    static func named(_ paths: [String]) throws(HalcyonError) -> [SingleModelFile] {
        var models: [SingleModelFile] = []
        for path in paths {
            let model = try SingleModelFile(path)
            guard !models.contains(where: { $0.name == model.name }) else {
                throw HalcyonError(
                    .invalidArgument,
                    "two model files would be served as '\(model.name)', '\(path)' is the second: a model has its "
                        + "file's name without the ending; rename one of them")
            }
            models.append(model)
        }
        return models
    }

    private init(_ path: String) throws(HalcyonError) {
        guard let kind = try FileSystem.kind(path) else {
            throw HalcyonError(.notFound, "the model file '\(path)' does not exist")
        }
        guard kind == .file || kind == .folder else {
            throw HalcyonError(.invalidArgument, "the model file '\(path)' is neither a file nor a folder")
        }
        // The file itself may be a link; what lies beside the file that it leads to belongs to the model.
        let real = try FileSystem.realPath(path)
        guard let slash = real.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            throw HalcyonError(.internal, "'\(real)' is not absolute")
        }
        folder = slash == real.startIndex ? "/" : String(real[..<slash])
        filename = String(real[real.index(after: slash)...])
        guard !filename.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw HalcyonError(.invalidArgument, "the model file '\(path)' has a control character in its name")
        }
        let given = path.split(separator: "/").last.map(String.init) ?? filename
        let stem = given.lastIndex(of: ".").map { String(given[..<$0]) } ?? given
        name = try ModelName(stem)
    }
}

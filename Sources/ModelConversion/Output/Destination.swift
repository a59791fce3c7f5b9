private import Glibc
internal import Tensors

/// Where a converted model goes.
package struct Destination: Hashable, Sendable {
    package enum Form: Hashable, Sendable {
        /// The file itself, with what belongs to it beside it.
        case file
        /// A version's folder.
        case version
        /// A model's folder: a version's folder in it, and `config.pbtxt`.
        case model
    }

    package var form: Form
    /// Absolute.
    package var path: String
    /// The name of the model's file.
    package var modelFile: String
    private var overwrites: Bool
    private var target: ConversionRequest.Target

    /// In ``parent``: the model's file, what else the target writes, and what is then out of date.
    var files: [String] {
        guard form == .file else { return [Files.lastName(path)] }
        guard target == .openVINO, let dot = modelFile.lastIndex(of: ".") else { return [modelFile] }
        // What was compiled belongs to the model that is replaced.
        return [modelFile] + ["bin", "blob", "blob.json"].map { "\(modelFile[..<dot]).\($0)" }
    }

    /// The folder that everything is written into in the end.
    var parent: String { Files.parent(path) }

    /// - Throws: `invalidArgument` for none or several destinations, or one that can't be written or holds the source;
    ///   `alreadyExists`.
    init(_ request: ConversionRequest, source: SourceModel) throws(HalcyonError) {
        let given = [
            request.outputFile.map { (Form.file, $0) }, request.outputVersion.map { (Form.version, $0) },
            request.outputModel.map { (Form.model, $0) },
        ].compactMap { $0 }
        guard let (form, text) = given.first, given.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                (given.isEmpty ? "nothing says where to write" : "several flags say where to write")
                    + ": give one of -e FILE, --output-version FOLDER (repository/model/1 for instance) and "
                    + "--output-model FOLDER (repository/model for instance, with a config.pbtxt)")
        }
        self.form = form
        path = try Files.absolutePath(text)
        overwrites = request.overwrites
        target = request.target
        let ending = Self.ending(request.target)
        modelFile = form == .file ? Files.lastName(path) : "model.\(ending)"
        switch form {
        case .file: try checkFile(text, ending, request.target)
        case .version: try checkVersion(text)
        case .model: try checkModel(text)
        }
        try checkPlace()
        try checkSource(source)
        try checkVacancy()
    }

    private static func ending(_ target: ConversionRequest.Target) -> String {
        switch target {
        case .openVINO: "xml"
        case .onnx: "onnx"
        case .tensorRT: "plan"
        }
    }

    private func checkFile(
        _ text: String, _ ending: String, _ target: ConversionRequest.Target
    ) throws(HalcyonError) {
        let isFitting = modelFile.hasSuffix(".\(ending)") && modelFile.count > ending.count + 1
        guard !text.hasSuffix("/"), isFitting || target == .tensorRT && !modelFile.hasPrefix(".") else {
            throw HalcyonError(
                .invalidArgument,
                "-e \(text): the target \(target.rawValue) writes a file that ends in .\(ending); a folder is given "
                    + "with --output-version or --output-model")
        }
        guard Files.kind(path) != .folder else {
            throw HalcyonError(
                .invalidArgument, "-e \(text) is a folder: give a file, or --output-version or --output-model")
        }
    }

    private func checkVersion(_ text: String) throws(HalcyonError) {
        let name = Files.lastName(path)
        guard let number = Int64(name), number > 0, String(number) == name else {
            throw HalcyonError(
                .invalidArgument, "--output-version \(text): a version's folder is a number from 1 on, not '\(name)'")
        }
    }

    private func checkModel(_ text: String) throws(HalcyonError) {
        let name = Files.lastName(path)
        let isName =
            !name.hasPrefix(".") && !name.isEmpty && name.utf8.count <= 200 && !name.contains("\\") && name != "/"
            && !name.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        guard isName else {
            throw HalcyonError(
                .invalidArgument,
                "--output-model \(text): a model's folder has a name of up to 200 bytes that does not begin with a "
                    + "dot, without backslash or control characters")
        }
    }

    private func checkPlace() throws(HalcyonError) {
        var place = parent
        while Files.kind(place) == nil, place != "/" { place = Files.parent(place) }
        guard Files.kind(place) == .folder else {
            throw HalcyonError(.invalidArgument, "'\(place)' is not a folder, so '\(path)' can't be written")
        }
        guard access(place, W_OK | X_OK) == 0 else { throw Files.failure("write into", place, errno) }
    }

    /// What is converted is perhaps the only copy: it stays, whatever the flags say.
    private func checkSource(_ source: SourceModel) throws(HalcyonError) {
        for name in files {
            let place = "\(parent)/\(name)"
            guard Files.ownKind(place) != nil, let resolved = try? Files.realPath(place) else { continue }
            let inside = resolved == "/" ? "/" : resolved + "/"
            let lost = source.files.first {
                $0 == resolved || $0.hasPrefix(inside) || resolved.hasPrefix($0 + "/")
            }
            guard let lost else { continue }
            throw HalcyonError(
                .invalidArgument, "'\(place)' would take the place of '\(lost)', which is converted: write elsewhere")
        }
    }

    /// - Throws: `alreadyExists` where something is there that may not be replaced; `invalidArgument` where it can't
    ///   be.
    func checkVacancy() throws(HalcyonError) {
        for name in files {
            let place = "\(parent)/\(name)"
            guard let kind = Files.ownKind(place) else { continue }
            guard (kind == .folder) == (form != .file) else {
                throw HalcyonError(
                    .invalidArgument, "'\(place)' is there and is \(form == .file ? "no file" : "not a folder")")
            }
            if overwrites || form != .file && Files.names(in: place).isEmpty { continue }
            throw HalcyonError(
                .alreadyExists,
                "'\(place)' is there already: --overwrite replaces "
                    + (form == .file ? "it, and what belongs to it" : "the whole folder"))
        }
    }
}

internal import ModelFiles
internal import ProtobufWire
package import Tensors

/// Finds out what a model file is, by its content and not by its name, and refuses what is damaged, cut short or
/// foreign before anything slow begins.
package enum SourceInspector {
    /// - Parameter hasKey: whether the user gave a key, which only an encrypted file needs.
    /// - Throws: `notFound` or `invalidArgument` that names the file and what is wrong with it; `unsupported` for a
    ///   format that is recognised and can't be converted.
    package static func inspect(_ path: String, hasKey: Bool = false) throws(HalcyonError) -> SourceModel {
        guard !path.isEmpty else { throw HalcyonError(.invalidArgument, "the model's path is empty") }
        let resolved = try Files.realPath(path)
        if Files.kind(resolved) == .folder { return try folder(resolved, path) }
        let file = try ModelBytes(path: resolved)
        do {
            return try model(file, shown: path, hasKey: hasKey)
        } catch let damage as ProtobufFields.Damage {
            throw damaged(path, damage)
        } catch {
            let error = HalcyonError(wrapping: error)
            throw error.message.contains(path) ? error : error.prefixed("'\(path)': ")
        }
    }

    private static let known = SourceFormat.allCases.map(\.title).joined(separator: ", ")

    private static func folder(_ resolved: String, _ path: String) throws(HalcyonError) -> SourceModel {
        let page = "\(resolved)/saved_model.pb"
        guard Files.kind(page) == .file else {
            throw HalcyonError(
                .invalidArgument,
                "the folder '\(path)' holds no saved_model.pb, and a folder can only be a TensorFlow saved model")
        }
        let file = try ModelBytes(path: page)
        do throws(ProtobufFields.Damage) {
            var fields = ProtobufFields(file.bytes[...])
            while try fields.next() != nil {}
        } catch {
            throw damaged("\(path)/saved_model.pb", error)
        }
        return SourceModel(path: resolved, format: .savedModel, byteCount: file.bytes.count)
    }

    private static func model(_ file: ModelBytes, shown path: String, hasKey: Bool) throws -> SourceModel {
        let size = file.bytes.count
        if let foreign = foreign(file) {
            throw HalcyonError(.unsupported, "'\(path)' is \(foreign)")
        }
        if file.begins(with: "TFL3", at: 4) {
            return SourceModel(path: file.path, format: .tensorFlowLite, byteCount: size)
        }
        if looksLikeXML(file) { return try openVINO(file, shown: path) }
        let damage: ProtobufFields.Damage?
        switch shape(of: file) {
        case .onnx:
            var model = SourceModel(path: file.path, format: .onnx, byteCount: size)
            let content = try ONNXFile(file.bytes[...])
            model.files += try externalFiles(content.externalFiles, of: file.path)
            model.inputs = content.inputs
            model.outputs = content.outputs
            model.outputNames = content.tensors.union(content.outputs.map(\.name)).sorted()
            return model
        case .graph:
            var model = SourceModel(path: file.path, format: .tensorFlowGraph, byteCount: size)
            let content = try TensorFlowGraphFile(file.bytes[...])
            model.inputs = content.inputs
            model.outputNames = content.nodes.sorted()
            return model
        case .savedModelPage:
            throw HalcyonError(
                .invalidArgument, "'\(path)' is a part of a TensorFlow saved model: give the folder that it lies in")
        case .damaged(let found): damage = found
        case .none: damage = nil
        }
        // Nothing marks an .etlt but its name, or that somebody has a key for it.
        if hasExtension(path, ["etlt", "tlt"]) || hasKey {
            var model = SourceModel(path: file.path, format: .encrypted, byteCount: size)
            model.container = try EncryptedContainer(file.bytes, path: path)
            return model
        }
        if let damage { throw damage }
        throw HalcyonError(.invalidArgument, "'\(path)' is no model that is known here: \(known)")
    }

    // MARK: Marks of formats

    /// What the file is, where that is known and can't be converted.
    private static func foreign(_ file: ModelBytes) -> String? {
        let marks: [(mark: String, at: Int, what: String)] = [
            ("PK\u{3}\u{4}", 0, "a ZIP archive, as PyTorch and Keras write them: export the model to ONNX there"),
            ("ptrt", 0, "a plan of TensorRT, which is converted already, for one GPU: give the ONNX file it came from"),
            ("RR_UPCVO", 0, "a compiled model of OpenVINO, for one processor: give the model it came from"),
            ("version https://git-lfs", 0, "a pointer of Git LFS and not the file itself: run `git lfs pull`"),
            ("<!DOCTYPE html", 0, "a web page, perhaps the answer of a download that failed"),
            ("<html", 0, "a web page, perhaps the answer of a download that failed"),
            ("\u{7F}ELF", 0, "a program or library"),
            ("GGUF", 0, "a GGUF file of a language model, which no engine here runs"),
        ]
        if file.bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            return "an HDF5 file, as Keras writes them: export the model as a TensorFlow saved model there"
        }
        return marks.first { file.begins(with: $0.mark, at: $0.at) }?.what
    }

    private static func looksLikeXML(_ file: ModelBytes) -> Bool {
        let head = String(decoding: file.bytes.prefix(4096), as: UTF8.self)
        let text = head.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        return text.hasPrefix("<?xml") || text.hasPrefix("<net")
    }

    private static func openVINO(_ file: ModelBytes, shown path: String) throws -> SourceModel {
        let head = String(decoding: file.bytes.prefix(4096), as: UTF8.self)
        guard head.contains("<net ") || head.contains("<net>") else {
            throw HalcyonError(
                .invalidArgument, "'\(path)' is XML and no OpenVINO IR: it does not begin with a <net> element")
        }
        let tail = String(decoding: file.bytes.suffix(4096), as: UTF8.self)
        guard tail.contains("</net>") else {
            throw HalcyonError(.invalidArgument, "'\(path)' is cut short: its <net> element does not end")
        }
        let stem = file.path.hasSuffix(".xml") ? String(file.path.dropLast(4)) : file.path
        let weights = stem + ".bin"
        // A model without constants has none.
        if Files.kind(weights) == nil, contains(file.bytes, "type=\"Const\"") {
            throw HalcyonError(
                .notFound,
                "'\(path)' is an OpenVINO IR whose weights are missing: '\(Files.lastName(weights))' beside it")
        }
        var model = SourceModel(path: file.path, format: .openVINO, byteCount: file.bytes.count)
        model.byteCount += Files.byteCount(weights) ?? 0
        if Files.kind(weights) != nil { model.files.append(try Files.realPath(weights)) }
        return model
    }

    private static func contains(_ bytes: UnsafeRawBufferPointer, _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        var from = 0
        while let start = bytes[from...].firstIndex(of: first), start + wanted.count <= bytes.count {
            if bytes[start..<start + wanted.count].elementsEqual(wanted) { return true }
            from = start + 1
        }
        return false
    }

    private static func hasExtension(_ path: String, _ names: Set<String>) -> Bool {
        names.contains(path.split(separator: ".").last.map { $0.lowercased() } ?? "")
    }

    // MARK: Protobuf

    private enum Shape {
        case onnx
        case graph
        case savedModelPage
        case damaged(ProtobufFields.Damage)
        case none
    }

    /// Which message a file is, by the numbers and kinds of its fields. One that begins as a message does and then
    /// breaks off is damaged; one whose first bytes are no field is something else.
    private static func shape(of file: ModelBytes) -> Shape {
        var fields = ProtobufFields(file.bytes[...])
        var first: (number: Int, isNumber: Bool)?
        var numbers: Set<Int> = []
        do throws(ProtobufFields.Damage) {
            while let (number, value) = try fields.next() {
                if first == nil { first = (number, value.number != nil) }
                numbers.insert(number)
            }
        } catch {
            return isModelsFirst(first) || first == nil && looksLikeModel(file) ? .damaged(error) : .none
        }
        guard isModelsFirst(first), let first else { return .none }
        if first.isNumber || first.number > 1 {
            if numbers.contains(7) { return .onnx }
            return numbers == [1, 2] ? .savedModelPage : .none
        }
        return numbers.isSubset(of: [1, 2, 3, 4, 5]) ? .graph : .none
    }

    /// ONNX and a saved model begin with a version, a frozen graph with a node; ONNX may leave its version to the end.
    private static func isModelsFirst(_ first: (number: Int, isNumber: Bool)?) -> Bool {
        guard let first else { return false }
        return first.number == 1 || !first.isNumber && [2, 7, 8].contains(first.number)
    }

    /// Whether a file's very first field, although it does not fit into the file, is one that a model begins with.
    private static func looksLikeModel(_ file: ModelBytes) -> Bool {
        guard let key = file.bytes.first else { return false }
        return [0x0A, 0x3A].contains(key) && hasExtension(file.path, ["onnx", "pb", "graphdef"])
    }

    private static func damaged(_ path: String, _ damage: ProtobufFields.Damage) -> HalcyonError {
        switch damage {
        case .cutShort(let field, let missing):
            HalcyonError(
                .invalidArgument,
                "'\(path)' is cut short: its field \(field) goes on for \(missing) bytes after the file's end")
        case .malformed(let offset), .unusual(let offset):
            HalcyonError(.invalidArgument, "'\(path)' is damaged: what stands at byte \(offset) is no part of a model")
        }
    }

    // MARK: External data

    /// Every file of weights must lie in the model's own folder once links are resolved, and be there.
    ///
    /// - Returns: the files, behind links.
    private static func externalFiles(_ names: Set<String>, of path: String) throws(HalcyonError) -> [String] {
        var files: [String] = []
        let root = try Files.realPath(Files.parent(path))
        for name in names.sorted() {
            let file = "\(root)/\(name)"
            guard Files.kind(file) == .file else {
                throw HalcyonError(
                    .notFound,
                    "its weights are missing: the file '\(name)' is expected beside '\(Files.lastName(path))'")
            }
            let resolved = try Files.realPath(file)
            guard resolved.hasPrefix(root == "/" ? "/" : root + "/") else {
                throw HalcyonError(
                    .invalidArgument,
                    "its weights '\(name)' are a link to '\(resolved)', and only files in the model's own folder are "
                        + "read"
                )
            }
            files.append(resolved)
        }
        return files
    }
}

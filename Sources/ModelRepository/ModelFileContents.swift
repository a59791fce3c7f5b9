private import Glibc
internal import Tensors

/// What lies where a model should, as told by its first bytes: asked when an engine can't read it.
enum ModelFileContents {
    /// How much of a file is looked at.
    private static let headByteCount = 1024

    /// - Parameter path: of a model's file, or of the folder that it is.
    /// - Returns: a sentence that says what it is and what to do; `nil` for what looks like a model.
    static func complaint(_ path: String) -> String? {
        let folder: String
        if (try? FileSystem.kind(path)) == .folder {
            folder = path
        } else {
            if let what = fileComplaint(path) { return what }
            folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        }
        // Weights that lie beside the model, and what a model is that is a folder.
        for name in ((try? FileSystem.names(in: folder)) ?? []).prefix(1000) {
            let other = "\(folder)/\(name)"
            if (try? FileSystem.kind(other)) == .file, let head = head(of: other), let what = pointer(head) {
                return "'\(other)' \(what)"
            }
        }
        return nil
    }

    private static func fileComplaint(_ path: String) -> String? {
        guard let head = head(of: path) else { return nil }
        return describe(head, filename: String(path.split(separator: "/").last ?? "")).map { "'\(path)' \($0)" }
    }

    private static func head(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: headByteCount)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// - Parameter head: the first bytes of a file, all of one that is shorter.
    static func describe(_ head: [UInt8], filename: String) -> String? {
        if head.isEmpty { return "is empty: the copy or the download that made it did not end well" }
        return pointer(head) ?? text(head, filename) ?? packed(head, filename) ?? otherFormat(head, filename)
    }

    private static func pointer(_ head: [UInt8]) -> String? {
        head.starts(with: Array("version https://git-lfs".utf8))
            ? "is a pointer of Git LFS, not the file itself: run git lfs pull in the repository that it came from" : nil
    }

    private static func text(_ head: [UInt8], _ filename: String) -> String? {
        let text = String(decoding: head.prefix(256).drop { $0 <= 0x20 || $0 > 0x7F }, as: UTF8.self).lowercased()
        let again = "download the model anew, with what the site asks for (a token, a licence)"
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<head") {
            return "is a web page, not a model: \(again)"
        }
        if text.hasPrefix("<"), text.contains("<error") { return "is the error of a store, not a model: \(again)" }
        if text.hasPrefix("{\"error") || text.hasPrefix("{\"message") || text.hasPrefix("{\"detail") {
            return "is an error in JSON, not a model: \(again)"
        }
        if text.hasPrefix("<?xml") || text.hasPrefix("<net"), !filename.hasSuffix(".xml") {
            return "is XML: a model of OpenVINO is called model.xml, with its model.bin beside it"
        }
        return nil
    }

    /// Archives. One that is a format of models itself is left to its engine.
    private static func packed(_ head: [UInt8], _ filename: String) -> String? {
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            let names = String(decoding: head, as: UTF8.self)
            if names.contains("data.pkl") || names.contains("/version") || names.contains("/byteorder") {
                return "is a file of PyTorch (torch.save): export the model with torch.onnx.export"
            }
            if names.contains("[Content_Types]") || filename.hasSuffix(".keras") { return nil }
            return "is a zip archive: unpack it, and put the model in its place"
        }
        let magics: [(bytes: [UInt8], name: String)] = [
            ([0x1F, 0x8B], "gzip"), ([0x42, 0x5A, 0x68], "bzip2"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x37, 0x7A, 0xBC, 0xAF], "7z"),
        ]
        if let magic = magics.first(where: { head.starts(with: $0.bytes) }) {
            return "is packed with \(magic.name): unpack it, and put the model in its place"
        }
        if head.count >= 262, head[257..<262].elementsEqual("ustar".utf8) {
            return "is a tar archive: unpack it, and put the model in its place"
        }
        return nil
    }

    private static func otherFormat(_ head: [UInt8], _ filename: String) -> String? {
        if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) {
            return "is a pickle of Python (PyTorch's, scikit-learn's or another's): export the model to ONNX, with "
                + "torch.onnx.export or skl2onnx"
        }
        if head.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            return "is HDF5, as Keras writes it: export the model as a SavedModel, or to ONNX with tf2onnx"
        }
        if head.starts(with: Array("GGUF".utf8)) { return "is GGUF, which no engine of this server reads" }
        if head.count > 9, head[8] == UInt8(ascii: "{"), head[9] == UInt8(ascii: "\""), head[7] == 0 {
            return "is safetensors, weights without their model: export the model to ONNX"
        }
        if head.count > 8, head[4..<8].elementsEqual("TFL3".utf8), !filename.hasSuffix(".tflite") {
            return "is a model of TensorFlow Lite: call it model.tflite"
        }
        return nil
    }
}

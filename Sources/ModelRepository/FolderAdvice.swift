internal import Tensors

/// What is probably meant by the files of a model's folder that the layout has no place for, and what to do about them.
enum FolderAdvice {
    /// Endings of the model files of all engines, those that are not part of this server too.
    private static let endings: Set<Substring> = [
        ".onnx", ".xml", ".pb", ".tflite", ".pdmodel", ".pt", ".pth", ".plan", ".engine", ".graphdef", ".savedmodel",
        ".safetensors", ".h5", ".keras", ".ort", ".gguf", ".py",
    ]

    static func isModelFile(_ name: String) -> Bool { endings.contains(ending(name)) }

    private static func ending(_ name: String) -> Substring {
        name.lastIndex(of: ".").map { name[$0...] } ?? ""
    }

    /// Where a model has no version folder.
    ///
    /// - Parameters:
    ///   - folders: the names of the folders in the model's folder.
    ///   - files: the names of the files beside them.
    ///   - isRepositoryAModel: whether the repository itself has a `config.pbtxt`.
    static func withoutVersion(folders: [String], files: [String], isRepositoryAModel: Bool) -> [String] {
        var advice: [String] = []
        if isRepositoryAModel {
            advice.append(
                "the model repository has a config.pbtxt itself, as a model's folder has: name the folder above it")
        }
        for folder in folders where !folder.utf8.allSatisfy(isDigit) {
            let digits = folder.drop { !($0.isASCII && $0.isNumber) }.prefix { $0.isASCII && $0.isNumber }
            guard let version = Int64(digits), version > 0 else { continue }
            advice.append("'\(folder)' is no version: call it \(version)")
        }
        if let model = (files + folders).first(where: isModelFile) {
            advice.append("'\(model)' lies in the model's folder itself: put it into a folder 1")
        } else if advice.isEmpty, !folders.contains(where: { $0.utf8.allSatisfy(isDigit) }) {
            advice.append("make a folder 1 and put the model into it")
        }
        return advice
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Where a version folder has no file by a name that is looked for.
    ///
    /// - Parameters:
    ///   - files: the names in the version folder.
    ///   - wanted: the names that are looked for; empty where no engine is known.
    static func withoutModel(files: [String], version: Int64, wanted: [String]) -> String? {
        if files.contains("saved_model.pb") {
            return "'saved_model.pb' is part of a SavedModel of TensorFlow: move all of the folder \(version) into "
                + "\(version)/model.savedmodel"
        }
        if let folder = files.first(where: { $0 == String(version) }) {
            return "there is a folder '\(folder)' in the folder \(version): take one of the two out"
        }
        let candidates = files.filter(isModelFile)
        guard
            let candidate = candidates.first(where: { name in wanted.contains { ending($0) == ending(name) } })
                ?? candidates.first
        else { return files.isEmpty ? "the folder \(version) is empty" : nil }
        let usual = "model\(ending(candidate))"
        let isSameKind = wanted.isEmpty || wanted.contains { ending($0) == ending(candidate) }
        guard isSameKind else { return "'\(candidate)' is of a kind that another backend takes" }
        return "call '\(candidate)' \(usual), or say default_model_filename: \"\(candidate)\""
    }
}

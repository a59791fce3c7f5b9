internal import ConfigurationSearch
internal import Glibc
internal import JSONText
internal import LoadGeneration
internal import ModelConfigurations
internal import Tensors

/// The configuration of a model as text, and what it is in other settings.
struct ModelText: Sendable {
    let model: String
    /// The model's `config.pbtxt`; it need not be there.
    let path: String
    let text: String
    var present = Setting()
    var engine = ""
    var maxBatchSize = 0

    /// - Throws: `notFound` where no repository has the model.
    init(_ model: String, in repositories: [String]) throws(HalcyonError) {
        self.model = model
        let folders = repositories.map { (folder: String) -> String in "\(folder)/\(model)" }
            .filter { (path: String) -> Bool in access(path, F_OK) == 0 }
        guard let folder = folders.first, !model.contains("/") else {
            throw HalcyonError(
                .notFound, "there is no model '\(model)' in \(repositories.map { "'\($0)'" }.joined(separator: ", "))")
        }
        guard folders.count == 1 else {
            throw HalcyonError(.invalidArgument, "several repositories have a model '\(model)': name one of them only")
        }
        path = "\(folder)/config.pbtxt"
        text = access(path, F_OK) == 0 ? String(decoding: try InputFile.read(path), as: UTF8.self) : ""
    }

    /// The text in a setting.
    func text(of setting: Setting) -> String {
        var edit = ConfigurationEdit(text)
        edit.apply(setting, over: present, engine: engine, maxBatchSize: maxBatchSize)
        return edit.text
    }

    /// The same as servers take it.
    func json(of setting: Setting) throws(HalcyonError) -> String {
        try ConfigurationReader.configuration(
            Array(text(of: setting).utf8), file: path, modelName: model, form: .text
        ).configuration.jsonValue.compact
    }

    /// Writes the file, and leaves what was there beside it.
    ///
    /// - Returns: where the old one is; `nil` where there was none.
    func write(_ setting: Setting) throws(HalcyonError) -> String? {
        var old: String?
        if access(path, F_OK) == 0 {
            var name = "\(path).old"
            var number = 1
            while access(name, F_OK) == 0 {
                number += 1
                name = "\(path).old.\(number)"
            }
            try OutputFile.write(text, to: name)
            old = name
        }
        try OutputFile.write(text(of: setting), to: path)
        return old
    }
}

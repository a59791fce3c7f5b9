internal import Tensors

/// A model that lies where a repository is expected: its folder itself, or a folder with its file and nothing around
/// it. Stores that hand a server one model lay it down like this.
struct LoneModel: Hashable {
    let name: ModelName
    /// The model's file, or its folder in formats that are one, which is its version 1, where the folder has no version
    /// folders.
    let filename: String?

    /// Looks whether a repository is a model.
    ///
    /// - Parameters:
    ///   - folder: the repository, without links.
    ///   - name: what the model is called; `nil` for the folder's own name.
    init?(in folder: String, named name: ModelName?) {
        guard let name = name ?? folder.split(separator: "/").last.flatMap({ try? ModelName(String($0)) }),
            let layout = try? Self.layout(of: folder)
        else { return nil }
        self.name = name
        filename = layout.filename
    }

    /// How the model lies in its folder.
    struct Layout: Hashable {
        var filename: String?
    }

    private static func layout(of folder: String) throws(HalcyonError) -> Layout? {
        let names = try FileSystem.names(in: folder)
        // A large repository is seen to be one without a look at each of its models.
        guard names.contains(where: { $0 == "config.pbtxt" || isVersion($0) || FolderAdvice.isModelFile($0) }) else {
            return nil
        }
        var files: [String] = []
        var folders: [String: [String]] = [:]
        for name in names {
            switch try FileSystem.kind("\(folder)/\(name)") {
            case .folder: folders[name] = (try? FileSystem.names(in: "\(folder)/\(name)")) ?? []
            case .file: files.append(name)
            default: continue
            }
        }
        return layout(files: files, folders: folders)
    }

    /// - Parameters:
    ///   - files: the names of the files in the folder.
    ///   - folders: the names of the folders in it, each with the names of what it holds.
    /// - Returns: `nil` for a repository. What can be read as one, is one.
    static func layout(files: [String], folders: [String: [String]]) -> Layout? {
        let isModel = { (names: [String]) in names.contains { $0 == "config.pbtxt" || isVersion($0) } }
        guard !folders.values.contains(where: isModel) else { return nil }
        let hasVersion = folders.contains { name, content in
            isVersion(name) && (files.contains("config.pbtxt") || content.contains(where: FolderAdvice.isModelFile))
        }
        if hasVersion { return Layout(filename: nil) }
        let candidates = (files + folders.keys).filter(FolderAdvice.isModelFile)
        let usual = candidates.filter { $0.hasPrefix("model.") }
        let chosen = usual.isEmpty ? candidates : usual
        guard let filename = chosen.first, chosen.count == 1 else { return nil }
        return Layout(filename: filename)
    }

    private static func isVersion(_ name: String) -> Bool {
        guard let version = Int64(name), version > 0 else { return false }
        return String(version) == name
    }
}

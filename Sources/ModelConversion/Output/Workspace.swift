private import CPlatform
private import Glibc
internal import Tensors

/// The private folder beside the destination that a conversion works in, so that what it made gets to its place by renaming.
///
/// Its name begins with a dot, which a server that watches the repository passes over.
struct Workspace {
    let destination: Destination
    private let folder: String
    /// Folders above the destination that were made for it.
    private let made: [String]

    /// What the converter writes into.
    var output: String { "\(folder)/output" }
    /// Where it runs, and where its order lies.
    var scratch: String { "\(folder)/scratch" }

    /// - Throws: where a folder can't be made.
    init(_ destination: Destination) throws(HalcyonError) {
        self.destination = destination
        let parent = destination.parent
        let prefix = Self.prefix(destination)
        folder = "\(parent)/\(prefix)\(getpid())"
        made = try Files.makeFolders(parent)
        Self.removeAbandoned(in: parent, prefix: prefix)
        do throws(HalcyonError) {
            try Files.makeFolders(folder, mode: 0o700)
            try Files.makeFolders(output)
            try Files.makeFolders(scratch, mode: 0o700)
        } catch {
            discard()
            throw error
        }
    }

    private static func prefix(_ destination: Destination) -> String {
        ".\(Files.lastName(destination.path).prefix(48)).converting-"
    }

    /// What conversions to the same place left behind that were killed.
    private static func removeAbandoned(in parent: String, prefix: String) {
        for name in Files.names(in: parent) where name.hasPrefix(prefix) {
            guard let process = pid_t(name.dropFirst(prefix.count)), process > 0 else { continue }
            if process == getpid() || kill(process, 0) != 0 && errno == ESRCH { Files.removeTree("\(parent)/\(name)") }
        }
    }

    /// Takes everything away that is not the destination.
    func discard() {
        Files.removeTree(folder)
        // Only those that are empty go.
        for path in made.reversed() { rmdir(path) }
    }

    // MARK: Publishing

    /// Puts the files into their place.
    ///
    /// - Parameters:
    ///   - files: names in ``output``.
    ///   - configuration: the text of `config.pbtxt` where the destination is a model's folder.
    func publish(_ files: [String], configuration: String) throws(HalcyonError) {
        for name in files {
            guard Files.ownKind("\(output)/\(name)") == .file else {
                throw HalcyonError(.internal, "the converter says that it wrote '\(name)', and did not")
            }
            try Files.synchronise("\(output)/\(name)")
        }
        for name in Files.names(in: output) where !files.contains(name) { Files.removeTree("\(output)/\(name)") }
        try Files.synchronise(output)
        switch destination.form {
        case .file: try publishFiles(files)
        case .version: try replaceFolder(output)
        case .model:
            let model = "\(folder)/model"
            try Files.makeFolders(model)
            try Files.rename(output, "\(model)/1")
            try Files.write(Array(configuration.utf8), to: "\(model)/config.pbtxt")
            try Files.synchronise(model)
            try replaceFolder(model)
        }
        try Files.synchronise(destination.parent)
    }

    /// The model's file comes last, and the one before it goes first: nobody finds one that does not belong to the files
    /// beside it.
    private func publishFiles(_ files: [String]) throws(HalcyonError) {
        let parent = destination.parent
        let others = files.filter { $0 != destination.modelFile }
        guard files.contains(destination.modelFile) else {
            throw HalcyonError(.internal, "the converter did not write '\(destination.modelFile)'")
        }
        for ending in ["blob.json", "blob"] where !files.contains("\(destination.stem).\(ending)") {
            // Compiled from the model that is replaced.
            unlink("\(parent)/\(destination.stem).\(ending)")
        }
        if !others.isEmpty { unlink(destination.path) }
        for name in others { try Files.rename("\(output)/\(name)", "\(parent)/\(name)") }
        try Files.rename("\(output)/\(destination.modelFile)", destination.path)
    }

    /// One step, whether there was a folder before or not. The old one is then in this one's place, and goes with it.
    private func replaceFolder(_ new: String) throws(HalcyonError) {
        guard Files.ownKind(destination.path) != nil else { return try Files.rename(new, destination.path) }
        let number = halcyon_exchange_paths(new, destination.path)
        guard number != 0 else { return }
        guard [EINVAL, ENOSYS].contains(number) else { throw Files.failure("replace", destination.path, number) }
        // A file system that can't exchange: two steps, and the old one back if the second fails.
        let old = "\(folder)/old"
        try Files.rename(destination.path, old)
        do throws(HalcyonError) {
            try Files.rename(new, destination.path)
        } catch {
            _ = rename(old, destination.path)
            throw error
        }
    }
}

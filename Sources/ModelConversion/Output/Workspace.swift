private import CPlatform
private import Glibc
internal import Tensors

/// The private folder beside the destination that a conversion works in, so that what it made gets to its place by
/// renaming.
///
/// Its name begins with a dot, which a server that watches the repository passes over.
struct Workspace {
    let destination: Destination
    private let locked: LockedFolder
    /// Folders above the destination that were made for it.
    private let made: [String]

    private var folder: String { locked.path }
    /// What the converter writes into.
    var output: String { "\(folder)/output" }
    /// Where it runs, and where its order lies.
    var scratch: String { "\(folder)/scratch" }
    /// What was in the way: a folder of files, or the one that the destination was.
    private static func replaced(in folder: String) -> String { "\(folder)/replaced" }

    /// - Throws: where a folder can't be made.
    init(_ destination: Destination) throws(HalcyonError) {
        self.destination = destination
        let made = try Files.makeFolders(destination.parent)
        self.made = made
        Self.clearAbandoned(destination)
        do throws(HalcyonError) {
            locked = try LockedFolder(prefix: "\(destination.parent)/\(Self.prefix(destination))")
        } catch {
            Self.removeEmpty(made)
            throw error
        }
        do throws(HalcyonError) {
            // Of what was put back as well.
            try destination.checkVacancy()
            try Files.makeFolders(output)
            try Files.makeFolders(scratch, mode: 0o700)
        } catch {
            discard()
            throw error
        }
    }

    private static func prefix(_ destination: Destination) -> String {
        let name = String(decoding: Files.lastName(destination.path).utf8.prefix(200), as: UTF8.self)
        return ".\(name).converting-"
    }

    /// Puts back what conversions to the same place had moved away that were killed, and takes the rest of them away.
    private static func clearAbandoned(_ destination: Destination) {
        let prefix = prefix(destination)
        for name in Files.names(in: destination.parent) where name.hasPrefix(prefix) {
            guard let abandoned = LockedFolder(abandoned: "\(destination.parent)/\(name)") else { continue }
            // Where the destination is there, all was in place, or somebody has seen to it since.
            if Files.ownKind(destination.path) == nil { putBack(replaced(in: abandoned.path), to: destination) }
            abandoned.remove()
        }
    }

    /// Takes everything away that is not the destination.
    func discard() {
        locked.remove()
        Self.removeEmpty(made)
    }

    private static func removeEmpty(_ folders: [String]) { for path in folders.reversed() { rmdir(path) } }

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
        // Somebody else may have been quicker.
        try destination.checkVacancy()
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

    /// The model's file comes last, and the one before it goes first: nobody finds one that does not belong to the
    /// files beside it. What was there stays in the workspace until all is in place.
    private func publishFiles(_ files: [String]) throws(HalcyonError) {
        let parent = destination.parent
        let others = files.filter { $0 != destination.modelFile }
        guard files.contains(destination.modelFile) else {
            throw HalcyonError(.internal, "the converter did not write '\(destination.modelFile)'")
        }
        if let name = others.first(where: { !destination.files.contains($0) }) {
            throw HalcyonError(.internal, "the converter wrote '\(name)', which does not belong to the destination")
        }
        var old = destination.files.filter { Files.ownKind("\(parent)/\($0)") != nil }
        // One file takes another's place in one step.
        if others.isEmpty, old == [destination.modelFile] { old = [] }
        let replaced = Self.replaced(in: folder)
        try Files.makeFolders(replaced)
        var placed: [String] = []
        do throws(HalcyonError) {
            for name in old { try Files.rename("\(parent)/\(name)", "\(replaced)/\(name)") }
            for name in others + [destination.modelFile] {
                try Files.rename("\(output)/\(name)", "\(parent)/\(name)")
                placed.append(name)
            }
        } catch {
            for name in placed { unlink("\(parent)/\(name)") }
            Self.putBack(replaced, to: destination)
            throw error
        }
    }

    /// The model's file last, as above.
    private static func putBack(_ replaced: String, to destination: Destination) {
        guard destination.form == .file else {
            _ = rename(replaced, destination.path)
            return
        }
        for name in destination.files.reversed() {
            _ = rename("\(replaced)/\(name)", "\(destination.parent)/\(name)")
        }
    }

    /// One step, whether there was a folder before or not. The old one is then in this one's place, and goes with it.
    private func replaceFolder(_ new: String) throws(HalcyonError) {
        guard Files.ownKind(destination.path) != nil else { return try Files.rename(new, destination.path) }
        let number = halcyon_exchange_paths(new, destination.path)
        guard number != 0 else { return }
        guard [EINVAL, ENOSYS].contains(number) else { throw Files.failure("replace", destination.path, number) }
        // A file system that can't exchange: two steps, and the old one back if the second fails.
        let old = Self.replaced(in: folder)
        try Files.rename(destination.path, old)
        do throws(HalcyonError) {
            try Files.rename(new, destination.path)
        } catch {
            Self.putBack(old, to: destination)
            throw error
        }
    }
}

private import CPlatform
private import Glibc
internal import Tensors

/// The Python programs that convert, and the lists of what they need: part of the executable, laid into a folder before
/// they run.
enum EmbeddedFiles {
    /// Whether a file is a list of packages and not a program.
    static func isRequirements(_ name: String) -> Bool { name.hasPrefix("requirements_") }

    static func bytes(_ name: String) -> [UInt8]? { all.first { $0.name == name }?.bytes }

    /// Lays the programs into a folder of their own below `folder`, unless they are there.
    ///
    /// The folder is named by what is in it, and appears in one step: it is complete if it is there.
    ///
    /// - Returns: the folder with the programs.
    static func unpack(into folder: String) throws(HalcyonError) -> String {
        let programs = all.filter { !isRequirements($0.name) }
        var hash = UInt64(HALCYON_HASH_START)
        for file in programs {
            for part in [Array(file.name.utf8), file.bytes] { hash = halcyon_hash(hash, part, part.count) }
        }
        let target = "\(folder)/programs-\(String(hash, radix: 16))"
        if Files.ownKind(target) == .folder { return target }
        let draft = "\(target).\(getpid())"
        Files.removeTree(draft)
        try Files.makeFolders(draft)
        do throws(HalcyonError) {
            for file in programs { try Files.write(file.bytes, to: "\(draft)/\(file.name)") }
            // Another process may have been quicker.
            guard rename(draft, target) == 0 || Files.ownKind(target) == .folder else {
                throw Files.failure("write", target, errno)
            }
        } catch {
            Files.removeTree(draft)
            throw error
        }
        Files.removeTree(draft)
        return target
    }
}

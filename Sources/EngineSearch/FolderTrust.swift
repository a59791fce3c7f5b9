private import Glibc
private import LibraryFiles

/// Whether anybody but the user and root could put a library where one is about to be loaded from.
enum FolderTrust {
    /// A file or folder, as far as that depends on it.
    struct Entry {
        var path: String
        var owner: UInt32
        var group: UInt32
        /// The permission bits, those for set-user-id and the like included.
        var mode: UInt32
    }

    /// The first reason not to load what a folder holds.
    ///
    /// - Parameters:
    ///   - entries: the folder, those above it from the root on, and behind it the files in it.
    ///   - above: how many of them are above the folder.
    static func complaint(_ entries: [Entry], above: Int, userID: UInt32, groupID: UInt32) -> String? {
        for (index, entry) in entries.enumerated() {
            guard entry.owner == 0 || entry.owner == userID else {
                return "'\(entry.path)' belongs to user \(entry.owner), whose libraries would run as user \(userID)"
            }
            // In a folder like /tmp nobody takes away or renames what is another's.
            let isSticky = index < above && entry.mode & 0o1000 != 0
            if entry.mode & 0o002 != 0, !isSticky {
                return "everybody may write '\(entry.path)', and so have libraries run as user \(userID)"
            }
            // Where root lets a group write it has decided so; and many systems give each user a group alone.
            let isOwnGroup = entry.group == groupID && groupID == userID
            if entry.mode & 0o020 != 0, !isSticky, entry.owner != 0, !isOwnGroup {
                return
                    "the members of group \(entry.group) may write '\(entry.path)', and so have libraries run as user "
                    + "\(userID)"
            }
        }
        return nil
    }

    /// As above, of a folder that is there.
    ///
    /// - Parameter folder: an absolute path without links.
    static func complaint(of folder: String, userID: UInt32, groupID: UInt32) -> String? {
        var paths = ["/"]
        for part in folder.split(separator: "/") {
            paths.append(paths.last == "/" ? "/\(part)" : "\(paths.last ?? "")/\(part)")
        }
        let above = paths.count - 1
        paths += LibraryFolder.fileNames(in: folder).filter(isLibrary).sorted().map { "\(folder)/\($0)" }
        var entries: [Entry] = []
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else { return "'\(path)' can't be looked at" }
            entries.append(Entry(path: path, owner: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o7777))
        }
        return complaint(entries, above: above, userID: userID, groupID: groupID)
    }

    static func isLibrary(_ name: String) -> Bool { name.hasSuffix(".so") || name.contains(".so.") }
}

internal import Glibc
internal import Tensors

/// A walk through all that is in a folder, at any depth. It stays inside of a repository, unless it is to follow links
/// that lead out, and it is bounded.
struct FolderWalk {
    /// The repository, without links; `nil` to follow links wherever they lead.
    let root: String?
    let limits: WalkLimits

    /// What a walk comes across.
    enum Entry {
        case file(path: String, status: stat)
        case folder(path: String, status: stat)
        /// A link that leads out of the repository, which is not followed.
        case outside(path: String, status: stat)
        /// A link to nothing.
        case broken(path: String)
    }

    /// - Parameter visit: returns whether to go on into a folder.
    /// - Throws: where a folder can't be read, and `invalidArgument` where there is more than the limits allow.
    func each(in folder: String, _ visit: (Entry) throws(HalcyonError) -> Bool) throws(HalcyonError) {
        let top = try FileSystem.realPath(folder)
        guard FileSystem.isInside(top, root ?? "/") else {
            var status = stat()
            guard lstat(folder, &status) == 0 else { throw FileSystem.failure(folder, "stat", errno) }
            _ = try visit(.outside(path: folder, status: status))
            return
        }
        let start = limits.now()
        var waiting = [(path: top, depth: 0)]
        var seen: Set<[UInt8]> = [Array(top.utf8)]
        var left = limits.entryCount
        while let (current, depth) = waiting.popLast() {
            guard limits.now() &- start <= limits.nanoseconds else {
                throw tooMuch(folder, "has not been walked through after \(limits.nanoseconds / 1_000_000_000) s")
            }
            guard let names = try FileSystem.entries(of: current, most: left) else {
                throw tooMuch(folder, "has more than \(limits.entryCount) files and folders")
            }
            left -= names.count
            for name in try sorted(names, in: current) {
                let path = current == "/" ? "/\(name)" : "\(current)/\(name)"
                let (entry, target) = try look(path)
                guard try visit(entry), case .folder = entry, seen.insert(Array(target.utf8)).inserted else { continue }
                guard depth < limits.depth else {
                    throw tooMuch(folder, "has more than \(limits.depth) folders inside each other")
                }
                waiting.append((target, depth + 1))
            }
        }
    }

    private func sorted(_ names: [String?], in folder: String) throws(HalcyonError) -> [String] {
        var valid: [String] = []
        for name in names {
            guard let name else {
                throw HalcyonError(.invalidArgument, "a name in the folder '\(folder)' is not UTF-8")
            }
            valid.append(name)
        }
        return valid.sorted()
    }

    /// - Returns: what is there, and its path without links where that is another.
    private func look(_ path: String) throws(HalcyonError) -> (Entry, target: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            // What goes while one looks is gone.
            if errno == ENOENT { return (.broken(path: path), path) }
            throw FileSystem.failure(path, "stat", errno)
        }
        var target = path
        if status.st_mode & S_IFMT == S_IFLNK {
            let link = status
            guard stat(path, &status) == 0 else { return (.broken(path: path), path) }
            target = try FileSystem.realPath(path)
            guard FileSystem.isInside(target, root ?? "/") else { return (.outside(path: path, status: link), target) }
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        return (isFolder ? .folder(path: path, status: status) : .file(path: path, status: status), target)
    }

    private func tooMuch(_ folder: String, _ what: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "the folder '\(folder)' \(what), the most of what belongs to a model: see whether a link in it leads to "
                + "somewhere large, or keep in it only what the model needs")
    }
}

// MARK: What walks are for

extension FolderWalk {
    /// Checks that no link in a folder, at any depth, leads out: an engine opens more than the file that it is given,
    /// such as weights beside it. A link to nothing is left to whoever wants to open it.
    func confineContents(of folder: String) throws(HalcyonError) {
        guard let root else { return }
        try each(in: folder) { (entry) throws(HalcyonError) in
            if case .outside(let path, _) = entry { try FileSystem.confine(path, to: root) }
            return true
        }
    }

    /// A number that is another when a name, a size, a time or a file itself is, at any depth, behind links too. Names
    /// that begin with a dot don't count, except for what links make of them.
    ///
    /// - Parameter isIncluded: whether an entry of the folder itself counts, by its name.
    func fingerprint(
        of folder: String, where isIncluded: (String) -> Bool = { _ in true }
    ) throws(HalcyonError) -> UInt64 {
        let top = try FileSystem.realPath(folder)
        var hash = Fingerprint()
        // A folder that a link leads to is another when the link is.
        hash.mix(top.utf8)
        try each(in: folder) { (entry) throws(HalcyonError) in
            switch entry {
            case .broken: return false
            case .outside(let path, let status):
                hash.mix(path.utf8)
                hash.mix(((try? FileSystem.realPath(path)) ?? "").utf8)
                hash.mix(status)
                return false
            case .file(let path, let status), .folder(let path, let status):
                guard isVisible(path, below: top, isIncluded) else { return false }
                hash.mix(path.utf8)
                hash.mix(UInt64(status.st_ino))
                if case .file = entry { hash.mix(status) }
                return true
            }
        }
        return hash.value
    }

    private func isVisible(_ path: String, below top: String, _ isIncluded: (String) -> Bool) -> Bool {
        guard let last = path.unicodeScalars.split(separator: "/").last, last.first != "." else { return false }
        let name = String(last)
        // Only what lies in the folder itself is chosen by name; what links lead to lies elsewhere.
        let isDirect = path.utf8.count == top.utf8.count + (top == "/" ? 0 : 1) + name.utf8.count
        return !isDirect || isIncluded(name)
    }
}

/// FNV-1a: it need not withstand anybody, only notice.
private struct Fingerprint {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix<Bytes: Sequence<UInt8>>(_ bytes: Bytes) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func mix(_ number: UInt64) { withUnsafeBytes(of: number) { mix($0) } }

    mutating func mix(_ status: stat) {
        for number in [Int64(status.st_size), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec)] {
            withUnsafeBytes(of: number) { mix($0) }
        }
    }
}

internal import Logging
internal import Tensors
internal import Threads
internal import URIText

/// A repository that is one archive: fetched, checked and unpacked once, as its checksum says that it stays the same.
struct ArchiveCopy: Sendable {
    let repository: ObjectRepository

    private var cache: CacheFolder { repository.cache }
    private var location: StoreLocation { repository.location }

    func bring() async throws(HalcyonError) {
        let lock = try await repository.lock("")
        defer { withExtendedLifetime(lock) {} }
        if try await isThere() { return }
        let checksum = Hexadecimal.text(location.checksum)
        let path = try await Blocking.run { [cache] () throws(HalcyonError) in try cache.partial("", checksum) }
        try await fetch(into: path)
        try await unpack(path)
        repository.options.log.info("unpacked an archive of models", metadata: ["repository": "\(location.text)"])
    }

    /// Whether all that was unpacked is still as it was.
    private func isThere() async throws(HalcyonError) -> Bool {
        try await Blocking.run { [cache, tag = Hexadecimal.text(location.checksum)] in
            let (manifest, tree) = (cache.manifest(""), cache.tree(""))
            return !manifest.entries.isEmpty && manifest.entries.count == tree.files.count
                && manifest.entries.allSatisfy { $1.tag == tag && $1.stamp == tree.files[$0] }
        }
    }

    private func fetch(into path: String) async throws(HalcyonError) {
        let client = repository.client
        let head = HTTPExchange.head(
            try await client.open(client.store.listing(prefix: "", isDeep: true, next: nil), subject: nil))
        guard let count = ArchiveStore.byteCount(head), count > 0 else {
            throw HalcyonError(
                .unsupported, "the model repository '\(location.text)': its server does not say how long the archive is"
            )
        }
        try await repository.checkSpace(for: count)
        let (clock, log, text) = (SystemClock(), repository.options.log, location.text)
        let start = clock.now()
        let progress = Locked(CopyProgress(now: start))
        progress.withLock { $0.expect(files: 1, bytes: count) }
        let object = StoredObject(key: location.prefix, byteCount: count, tag: "")
        try await ObjectDownload(client: client, object: object, path: path) { bytes in
            let now = clock.now()
            if let line = progress.withLock({ $0.add(bytes, now: now) }) {
                log.info("copying models", metadata: ["repository": "\(text)", "progress": "\(line)"])
            }
        }.run()
        let checksum = try await Blocking.run { () throws(HalcyonError) in try CacheFile.sha256(path) }
        guard checksum == location.checksum else {
            try await Blocking.run { CacheFile.remove(path) }
            throw HalcyonError(
                .invalidArgument,
                "the model repository '\(location.text)': the archive's SHA-256 is "
                    + "\(Hexadecimal.text(checksum)), and \(Hexadecimal.text(location.checksum)) was named: see "
                    + "whether it is the right archive, and name its sum")
        }
    }

    private func unpack(_ path: String) async throws(HalcyonError) {
        let limit = repository.options.byteLimit
        try await Blocking.run { [cache, location] () throws(HalcyonError) in
            let folder = "\(path).unpacked"
            CacheFolder.removeTree(folder)
            try CacheFolder.makeFolders(folder)
            let most = limit > 0 ? limit : cache.freeBytes() ?? .max
            let unpacked: ArchiveUnpacking
            do throws(HalcyonError) {
                unpacked = try ArchiveFile(path: path, name: location.prefix).unpack(
                    ArchiveUnpacking(into: folder, byteLimit: most))
            } catch {
                CacheFolder.removeTree(folder)
                throw error.prefixed("the model repository '\(location.text)': ")
            }
            let root = ArchiveUnpacking.root(files: unpacked.files.keys, folders: unpacked.folders)
            try place(folder, root, unpacked)
            cache.removePartials("")
        }
    }

    /// Puts the files in place, and removes what another archive had.
    private func place(_ folder: String, _ root: String, _ unpacked: ArchiveUnpacking) throws(HalcyonError) {
        let skipped = root.isEmpty ? 0 : root.count + 1
        let tag = Hexadecimal.text(location.checksum)
        var unit = RemoteTree.Unit()
        for (path, count) in unpacked.files {
            let name = String(path.dropFirst(skipped))
            unit.files[name] = StoredObject(key: path, byteCount: count, tag: tag)
        }
        unit.folders = Set(unpacked.folders.map { String($0.dropFirst(skipped)) }).subtracting([""])
        let plan = CopyPlan(from: unit, to: cache.tree(""), manifest: cache.manifest(""))
        try RepositoryCopy.place(plan, plan.fetches.map { "\(folder)/\($0.object.key)" }, in: cache, "")
    }
}

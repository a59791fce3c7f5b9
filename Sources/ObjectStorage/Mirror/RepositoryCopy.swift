internal import Crypto
internal import FoundationEssentials
internal import Logging
internal import Tensors
internal import Threads
internal import URIText

/// One run of copying: brings models here, each whole or not at all.
final class RepositoryCopy: Sendable {
    private let repository: ObjectRepository
    private let permits: AsyncPermits
    private let clock = SystemClock()
    private let progress: Locked<CopyProgress>

    init(_ repository: ObjectRepository, _ permits: AsyncPermits) {
        self.repository = repository
        self.permits = permits
        progress = Locked(CopyProgress(now: clock.now()))
    }

    private var cache: CacheFolder { repository.cache }

    /// Says what was copied, if anything was.
    func finish() {
        let (now, progress) = (clock.now(), progress.withLock { $0 })
        guard progress.files.all > 0 else { return }
        say(
            progress.files.done == progress.files.all ? "copied models" : "copied a part of models",
            progress.text(now: now))
    }

    private func say(_ what: Logger.Message, _ progress: String) {
        repository.options.log.info(
            what, metadata: ["repository": "\(repository.location.text)", "progress": "\(progress)"])
    }

    /// Fetches what is missing of a model, and puts all of it in place when all is there.
    func bring(_ name: String, _ unit: RemoteTree.Unit) async throws(HalcyonError) {
        let lock = try await repository.lock(name)
        defer { withExtendedLifetime(lock) {} }
        let plan = try await Blocking.run { [cache] in
            CopyPlan(from: unit, to: cache.tree(name), manifest: cache.manifest(name))
        }
        guard !plan.isEmpty else { return }
        try await repository.checkSpace(for: plan.byteCount)
        progress.withLock { $0.expect(files: plan.fetches.count, bytes: plan.byteCount) }
        let partials = try await fetch(plan, name)
        try await Blocking.run { [cache] () throws(HalcyonError) in
            try Self.place(plan, partials, in: cache, name)
        }
        if !name.isEmpty {
            repository.options.log.info(
                "a model's copy is up to date",
                metadata: [
                    "model": "\(name)", "fetched": "\(plan.fetches.count)", "removed": "\(plan.removedFiles.count)",
                    "unchanged": "\(plan.kept.entries.count)",
                ])
        }
    }

    /// - Returns: where the content of each lies, in the order of the plan.
    private func fetch(_ plan: CopyPlan, _ name: String) async throws(HalcyonError) -> [String] {
        var partials: [String] = []
        for fetch in plan.fetches {
            // Of another content another file is made: what is there already is never the beginning of something else.
            let digest = SHA256.hash(data: Array("\(fetch.path)\n\(fetch.object.tag)\n\(fetch.object.byteCount)".utf8))
            let text = Hexadecimal.text(digest.prefix(12))
            partials.append(try await Blocking.run { [cache] () throws(HalcyonError) in try cache.partial(name, text) })
        }
        var failure: HalcyonError?
        await withTaskGroup(of: HalcyonError?.self) { group in
            for (fetch, path) in zip(plan.fetches, partials) {
                group.addTask { [self] in
                    do throws(HalcyonError) {
                        try await self.fetch(fetch, into: path)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for await result in group {
                guard let result else { continue }
                // One that fails makes the others needless.
                if failure == nil { failure = result }
                group.cancelAll()
            }
        }
        if let failure { throw failure }
        return partials
    }

    private func fetch(_ fetch: CopyPlan.Fetch, into path: String) async throws(HalcyonError) {
        try await permits.take()
        defer { permits.giveBack() }
        let download = ObjectDownload(client: repository.client, object: fetch.object, path: path) { [self] bytes in
            let now = clock.now()
            if let line = progress.withLock({ $0.add(bytes, now: now) }) { say("copying models", line) }
        }
        try await download.run()
        progress.withLock { $0.finishFile() }
    }

    /// What is seen from outside happens here, and takes no longer than renaming does.
    static func place(
        _ plan: CopyPlan, _ partials: [String], in cache: CacheFolder, _ name: String
    ) throws(HalcyonError) {
        var manifest = plan.kept
        for folder in plan.folders { try cache.makeFolder(folder) }
        for (fetch, partial) in zip(plan.fetches, partials) {
            let stamp = try cache.place(partial, at: fetch.path)
            manifest.entries[fetch.path] = CopyManifest.Entry(tag: fetch.object.tag, stamp: stamp)
        }
        for file in plan.removedFiles { try cache.removeFile(file) }
        for folder in plan.removedFolders { cache.removeFolder(folder) }
        try cache.write(manifest, name)
        cache.removePartials(name)
    }
}

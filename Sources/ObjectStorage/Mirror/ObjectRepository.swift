internal import AsyncHTTPClient
internal import Crypto
internal import FoundationEssentials
public import Logging
public import ModelRepository
public import NIOCore
public import Tensors
internal import Threads
internal import URIText

/// A model repository in a store on the network, `s3://bucket/models` for instance, of which copies are kept in a
/// folder of this machine.
///
/// ```swift
/// let repository = try ObjectRepository(
///     "s3://bucket/models", environment: environment,
///     options: .init(cacheDirectory: "/var/cache/models", group: group))
/// var options = ServerOptions()
/// options.repositorySources = [repository]
/// ```
///
/// Call ``shutdown()`` when the server has stopped.
public final class ObjectRepository: RepositorySource {
    /// How copies are made.
    public struct Options: Sendable {
        /// The folder of all copies; each repository has one of its own in it.
        public var cacheDirectory: String
        /// The event loops that talk to the store.
        public var group: any EventLoopGroup
        /// Bytes that the copies of the repository may take; 0 for as many as the disk has.
        public var byteLimit: Int64 = 0
        /// Files that are fetched at the same time.
        public var parallelFetches = 8
        /// Where it is said what is copied. By default nowhere.
        public var log = Logger(label: "halcyon", factory: { _ in SwiftLogNoOpLogHandler() })

        /// Options with the default for everything else.
        public init(cacheDirectory: String, group: any EventLoopGroup) {
            self.cacheDirectory = cacheDirectory
            self.group = group
        }
    }

    let location: StoreLocation
    let options: Options
    let client: StoreClient
    let cache: CacheFolder
    private let exchange: HTTPExchange
    private let permits: AsyncPermits
    private let isOneModel = Locked(false)

    /// The folder with the copies, which models are read from.
    public var folder: String { cache.repository }

    /// - Parameters:
    ///   - location: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `as://ACCOUNT/CONTAINER/PREFIX`, or the address of an
    ///     archive with its checksum, `https://host/models.tar.gz#sha256=…`.
    ///   - environment: the variables that say who one is, `AWS_ACCESS_KEY_ID` for instance. Nothing else is read from
    ///     the process; files that they name, and the usual ones below `HOME`, are.
    /// - Throws: `invalidArgument` for another address or a variable that can't be meant; `internal` where the folder
    ///   can't be made.
    public convenience init(
        _ location: String, environment: [String: String], options: Options
    ) throws(HalcyonError) {
        try self.init(location, Surroundings(environment: environment), options)
    }

    package init(_ text: String, _ surroundings: Surroundings, _ options: Options) throws(HalcyonError) {
        let location = try StoreLocation(text)
        let access = try StoreAccess(location, surroundings)
        let key = "\(access.store.name) \(access.origin) \(location.text) \(Hexadecimal.text(location.checksum))"
        let digest = Hexadecimal.text(SHA256.hash(data: Array(key.utf8)).prefix(8))
        cache = try CacheFolder(root: "\(options.cacheDirectory)/\(digest)", name: location.name)
        exchange = HTTPExchange(on: options.group, certificates: access.certificates, parallel: options.parallelFetches)
        client = StoreClient(location, access.store, access.sources, exchange, log: options.log)
        permits = AsyncPermits(max(1, options.parallelFetches))
        self.location = location
        self.options = options
        // What was copied before has the models' names already.
        options.log.info(
            "copies of models", metadata: ["repository": "\(location.text)", "folder": "\(cache.repository)"])
    }

    deinit { _ = exchange.client.shutdown() as EventLoopFuture<Void> }

    /// Closes the connections. Nothing can be updated any more.
    public func shutdown() async { try? await exchange.client.shutdown() }

    /// Has the folder hold what the store has. See ``RepositorySource``.
    public func update(_ scope: RepositoryScope) async throws(HalcyonError) {
        if location.kind == .archive { return try await ArchiveCopy(repository: self).bring() }
        switch scope {
        case .everything: try await updateAll()
        case .names: try await updateNames()
        case .model(let name): try await updateModel(name)
        }
    }

    // MARK: What is looked at

    private func updateAll() async throws(HalcyonError) {
        let tree = RemoteTree(try await client.list(prefix: location.keyPrefix).objects, keyPrefix: location.keyPrefix)
        note(tree)
        // An address that is wrong, or a store that forgets, takes no model away.
        guard !tree.units.isEmpty else { throw StoreFailure(location: location).nothing() }
        isOneModel.withLock { $0 = tree.units[""] != nil }
        try checkLimit(tree.units.values.reduce(0) { $0 &+ $1.byteCount })
        let copy = RepositoryCopy(self, permits)
        var failure: HalcyonError?
        await withTaskGroup(of: HalcyonError?.self) { group in
            var units = tree.units.sorted { $0.key < $1.key }[...]
            func next(_ group: inout TaskGroup<HalcyonError?>) {
                guard let (name, unit) = units.popFirst() else { return }
                group.addTask {
                    do throws(HalcyonError) {
                        try await copy.bring(name, unit)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for _ in 0..<4 { next(&group) }
            while let result = await group.next() {
                failure = failure ?? result
                next(&group)
            }
        }
        copy.finish()
        if let failure { throw failure }
        if tree.units[""] == nil { try await removeOthers(than: Set(tree.units.keys)) }
    }

    /// A folder for each model, without what is in it.
    private func updateNames() async throws(HalcyonError) {
        let page = try await client.list(prefix: location.keyPrefix, isDeep: false)
        let prefix = location.keyPrefix
        let files = page.objects.map { String(Substring($0.key.utf8.dropFirst(prefix.utf8.count))) }.filter {
            !$0.isEmpty
        }
        let folders = page.folders.map { String(Substring($0.utf8.dropFirst(prefix.utf8.count).dropLast())) }
        guard !RemoteTree.isOneModel(files: files, folders: Set(folders)) else {
            isOneModel.withLock { $0 = true }
            return try await updateAll()
        }
        let names = folders.filter { RemoteTree.complaint($0) == nil && !$0.hasPrefix(".") }
        guard !names.isEmpty else { throw StoreFailure(location: location).nothing() }
        try await removeOthers(than: Set(names))
        try await Blocking.run { [cache] () throws(HalcyonError) in for name in names { try cache.makeFolder(name) } }
    }

    private func updateModel(_ name: String) async throws(HalcyonError) {
        if isOneModel.withLock({ $0 }) { return try await updateAll() }
        // What is no name of a folder is no model's.
        guard RemoteTree.complaint(name) == nil, !name.utf8.contains(UInt8(ascii: "/")), !name.hasPrefix(".") else {
            return
        }
        let objects = try await client.list(prefix: "\(location.keyPrefix)\(name)/").objects
        let tree = RemoteTree(objects, keyPrefix: location.keyPrefix, isOneModel: false)
        note(tree)
        guard let unit = tree.units[name] else { return try await removeModel(name) }
        let others = try await Blocking.run { [cache] in
            cache.byteCount() - cache.tree(name).files.values.reduce(0) { $0 &+ $1.byteCount }
        }
        try checkLimit(others &+ unit.byteCount)
        let copy = RepositoryCopy(self, permits)
        defer { copy.finish() }
        try await copy.bring(name, unit)
    }

    private func note(_ tree: RemoteTree) {
        for (key, reason) in tree.skipped.sorted(by: { $0.key < $1.key }).prefix(10) {
            options.log.warning(
                "an object can't be a file and is left out",
                metadata: ["key": "\(UntrustedText.shown(key))", "reason": "\(reason)"])
        }
    }

    private func checkLimit(_ byteCount: Int64) throws(HalcyonError) {
        guard options.byteLimit <= 0 || byteCount <= options.byteLimit else {
            throw HalcyonError(
                .unavailable,
                "the model repository '\(location.text)': its copies would take \(byteCount) bytes, and they may take "
                    + "\(options.byteLimit) (--model-cache-byte-size)")
        }
    }

    /// - Throws: `unavailable` where the disk has no room for so many bytes.
    func checkSpace(for byteCount: Int64) async throws(HalcyonError) {
        let free = try await Blocking.run { [cache] in cache.freeBytes() }
        guard let free, byteCount > free else { return }
        throw HalcyonError(
            .unavailable,
            "the model repository '\(location.text)': \(byteCount) bytes are to be copied, and the disk of "
                + "'\(cache.root)' has \(free) left: make room, or name another folder with --model-cache-directory")
    }

    // MARK: What is no longer there

    private func removeOthers(than names: Set<String>) async throws(HalcyonError) {
        let gone = try await Blocking.run { [cache] in cache.names().filter { !names.contains($0) } }
        for name in gone { try await removeModel(name) }
    }

    private func removeModel(_ name: String) async throws(HalcyonError) {
        let lock = try await lock(name)
        defer { withExtendedLifetime(lock) {} }
        try await Blocking.run { [cache, options, location] in
            guard cache.names().contains(name) else { return }
            cache.remove(name)
            options.log.info(
                "removed the copy of what is no longer there",
                metadata: ["repository": "\(location.text)", "model": "\(name)"])
        }
    }

    /// Waits until nobody else copies that model.
    func lock(_ unit: String) async throws(HalcyonError) -> CacheFolder.Lock {
        while true {
            if let lock = try await Blocking.run({ [cache] () throws(HalcyonError) in try cache.lock(unit) }) {
                return lock
            }
            try await client.sleep(100)
        }
    }
}

package import Tensors

/// What stores send and what other people's files hold, each read by itself and with nobody asked: Fuzzing feeds it.
/// The server comes by the same readers in the midst of copying.
package struct UntrustedInput {
    private let location: StoreLocation
    private let surroundings: Surroundings

    /// - Parameters:
    ///   - location: a repository in a store of the kind that is spoken of.
    ///   - surroundings: what names the files that are read.
    package init(_ location: String, _ surroundings: Surroundings) throws(HalcyonError) {
        self.location = try StoreLocation(location)
        self.surroundings = surroundings
    }

    /// Where below the folder of copies a listing has files and folders made.
    package func paths(listing body: [UInt8]) throws(HalcyonError) -> [String] {
        let page = try StoreAccess(location, surroundings).store.page(body)
        let tree = RemoteTree(page.objects, keyPrefix: location.keyPrefix)
        return tree.units.values.flatMap { unit in
            let plan = CopyPlan(from: unit, to: LocalTree(), manifest: CopyManifest())
            return plan.fetches.map(\.path) + plan.folders
        }
    }

    /// What is made of an answer that lets nobody in: the sentence for the operator, or how long to wait before asking
    /// again, in milliseconds.
    package func refusal(
        status: Int, headers: [(name: String, value: String)], body: [UInt8], now seconds: Int64
    ) throws(HalcyonError) -> Int64 {
        let now = UTCTime(seconds: seconds)
        let store = try StoreAccess(location, surroundings).store
        let fields = headers.map { StoreRequest.Field($0.name, $0.value) }
        let answer = StoreAnswer(status: status, headers: fields, body: body)
        if let delay = RetryPolicy().delay(after: 1, .answered(by: answer, now: now)) { return delay }
        if let next = ArchiveStore.redirected(store.listing(prefix: "", isDeep: true, next: nil), by: answer) {
            return Int64(next.url.utf8.count)
        }
        if let count = ArchiveStore.byteCount(answer), ObjectDownload.continues(answer, at: count) { return 0 }
        let failure = StoreFailure(location: location, origin: "here", searched: "there", subject: nil)
        throw failure.error(answer, store.refusal(answer), now: now)
    }

    /// Unpacks an archive, whose form is told by its name, into a folder that is removed again.
    ///
    /// - Returns: the paths of its files.
    package static func paths(archive path: String, byteLimit: Int64) throws(HalcyonError) -> [String] {
        let folder = path + ".unpacked"
        try CacheFolder.makeFolders(folder)
        defer { CacheFolder.removeTree(folder) }
        let unpacking = ArchiveUnpacking(into: folder, byteLimit: byteLimit)
        return try ArchiveFile(path: path, name: path).unpack(unpacking).files.keys.sorted()
    }

    /// Looks for credentials in all places, whoever is asked giving the same answer.
    ///
    /// - Returns: how many places have some.
    package func credentials(answer body: [UInt8], now seconds: Int64) throws(HalcyonError) -> Int {
        let now = UTCTime(seconds: seconds)
        var count = 0
        for source in try StoreAccess(location, surroundings).sources {
            var step = try? source.begin(now)
            for _ in 0..<10 {
                guard case .ask(_, let then)? = step else { break }
                step = try? then(StoreAnswer(status: 200, body: body))
            }
            guard case .done(let credentials, let expiry)? = step else { continue }
            let request = StoreRequest(.get, WebAddress(host: "store"), path: "/")
            let store = try StoreAccess(location, surroundings).store
            let later = UTCTime(seconds: seconds + 60)
            if expiry.map({ $0.isSoon(after: later) }) ?? false { continue }
            if store.signed(request, credentials, region: nil, at: later) != request { count += 1 }
        }
        return count
    }
}

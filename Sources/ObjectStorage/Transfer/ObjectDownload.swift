internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import Tensors

/// An object's content brought into a file: in one piece or in several, where connections break; whole, or not at all.
struct ObjectDownload: Sendable {
    let client: StoreClient
    let object: StoredObject
    /// Where the content is collected. What is there already is taken for its beginning.
    let path: String
    let progress: @Sendable (_ bytes: Int64) -> Void

    /// Bytes that are written at once.
    private static let piece = 1 << 20

    func run() async throws(HalcyonError) {
        if try await fetch() { return }
        // Damaged on its way, or when it was continued: once more, from the beginning.
        progress(-object.byteCount)
        try await blocking { CacheFile.remove(path) }
        guard try await fetch() else {
            throw HalcyonError(
                .unavailable,
                "the model repository '\(client.location.text)': '\(object.key)' has come twice with another MD5 than "
                    + "the store says: something between here and the store changes what it sends")
        }
    }

    /// - Returns: whether what has come is what the store has.
    private func fetch() async throws(HalcyonError) -> Bool {
        var attempt = 0
        var isEncrypted = false
        var have = try await blocking { CacheFile.byteCount(path) }
        if have > object.byteCount {
            try await blocking { CacheFile.remove(path) }
            have = 0
        }
        progress(have)
        if have == 0 { try await blocking { () throws(HalcyonError) in _ = try CacheFile(path, keeps: false) } }
        while have < object.byteCount {
            attempt += 1
            var request = client.store.content(of: object)
            if have > 0 { request.set("range", "bytes=\(have)-") }
            let response = try await client.open(request, subject: object.key)
            let head = HTTPExchange.head(response)
            isEncrypted = isEncrypted || Self.isEncrypted(head)
            if have > 0, !Self.continues(head, at: have) {
                // It is sent from the beginning.
                progress(-have)
                have = 0
            }
            let before = have
            do throws(StoreTrouble) {
                try await write(response, from: &have)
                guard have < object.byteCount else { break }
                throw .connection("the answer ended \(object.byteCount - have) bytes too early")
            } catch {
                if have > before { attempt = 0 }
                try await client.pause(after: attempt + 1, error, request)
            }
        }
        guard have == object.byteCount else { return false }
        guard let expected = object.md5, !isEncrypted else { return true }
        return try await blocking { () throws(HalcyonError) in try CacheFile.md5(path) == expected }
    }

    /// Whether the tag of an object is no MD5 of its content, as the store has encrypted it by a key of its own.
    static func isEncrypted(_ head: StoreAnswer) -> Bool {
        head.header("x-amz-server-side-encryption")?.hasPrefix("aws:kms") == true
            || head.header("x-amz-server-side-encryption-customer-algorithm") != nil
    }

    /// Whether an answer holds what comes behind the first bytes.
    static func continues(_ head: StoreAnswer, at offset: Int64) -> Bool {
        head.status == 206 && head.header("content-range")?.hasPrefix("bytes \(offset)-") == true
    }

    private func write(_ response: HTTPClientResponse, from have: inout Int64) async throws(StoreTrouble) {
        var waiting: [UInt8] = []
        var isFirst = have == 0
        func flush(_ have: inout Int64) async throws {
            let bytes = waiting
            waiting = []
            guard !bytes.isEmpty else { return }
            // An answer that is longer than the object is another's.
            guard Int64(bytes.count) <= object.byteCount - have else {
                throw StoreTrouble.connection("the answer is too long")
            }
            let keeps = !isFirst
            isFirst = false
            try await NIOThreadPool.singleton.runIfActive { [path] in
                var file = try CacheFile(path, keeps: keeps)
                try file.write(bytes)
            }
            have += Int64(bytes.count)
            progress(Int64(bytes.count))
        }
        do {
            do {
                for try await buffer in response.body {
                    waiting.append(contentsOf: buffer.readableBytesView)
                    if waiting.count >= Self.piece { try await flush(&have) }
                }
            } catch {
                // What has come is kept.
                if !(error is HalcyonError) { try? await flush(&have) }
                throw error
            }
            try await flush(&have)
        } catch let error as HalcyonError {
            throw .disk(error)
        } catch {
            throw HTTPExchange.trouble(error)
        }
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(HalcyonError) -> Value
    ) async throws(HalcyonError) -> Value {
        try await Blocking.run(body)
    }
}

/// Calls that wait for the disk, off Swift's pool.
enum Blocking {
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(HalcyonError) -> Value
    ) async throws(HalcyonError) -> Value {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try body() }
        } catch let error as HalcyonError {
            throw error
        } catch {
            throw HalcyonError(.cancelled, "copying models was given up")
        }
    }
}

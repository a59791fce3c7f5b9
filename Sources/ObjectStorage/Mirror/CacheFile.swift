internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import Tensors

/// A file that is being written.
struct CacheFile: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private(set) var byteCount: Int64

    /// - Parameter keeps: whether what is in it stays, and more is written behind it.
    init(_ path: String, keeps: Bool) throws(HalcyonError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (keeps ? O_APPEND : O_TRUNC), 0o644)
        guard descriptor >= 0 else { throw CacheFolder.failure("write", path) }
        self.path = path
        byteCount = keeps ? Self.byteCount(path) : 0
    }

    deinit { close(descriptor) }

    static func byteCount(_ path: String) -> Int64 {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : 0
    }

    static func remove(_ path: String) { unlink(path) }

    mutating func write(_ bytes: [UInt8]) throws(HalcyonError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw CacheFolder.failure("write", path) }
            offset += count
        }
        byteCount += Int64(bytes.count)
    }

    // MARK: Digests

    static func md5(_ path: String) throws(HalcyonError) -> [UInt8] {
        var digest = Insecure.MD5()
        try eachPart(of: path) { digest.update(data: $0) }
        return Array(digest.finalize())
    }

    static func sha256(_ path: String) throws(HalcyonError) -> [UInt8] {
        var digest = SHA256()
        try eachPart(of: path) { digest.update(data: $0) }
        return Array(digest.finalize())
    }

    private static func eachPart(of path: String, _ body: (ArraySlice<UInt8>) -> Void) throws(HalcyonError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw CacheFolder.failure("read", path) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CacheFolder.failure("read", path) }
            if count == 0 { return }
            body(buffer[..<count])
        }
    }
}

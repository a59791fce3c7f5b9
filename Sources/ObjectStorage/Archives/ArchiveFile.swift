internal import Glibc
internal import Tensors

/// An archive on the disk, whatever its form.
struct ArchiveFile {
    let path: String
    /// By which the form is told.
    let name: String

    /// Unpacks all of it. Blocks.
    func unpack(_ visitor: ArchiveUnpacking) throws(HalcyonError) -> ArchiveUnpacking {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw CacheFolder.failure("read", path) }
        defer { close(descriptor) }
        if name.lowercased().hasSuffix(".zip") { return try unzip(descriptor, visitor) }
        var reader = TarReader(visitor)
        let inflater = name.lowercased().hasSuffix(".tar") ? nil : try Inflater(.gzip)
        var offset: Int64 = 0
        while true {
            let part = try Self.read(descriptor, offset, 1 << 20, path)
            if part.isEmpty { break }
            offset += Int64(part.count)
            if let inflater {
                try inflater.read(part[...]) { (plain) throws(HalcyonError) in try reader.read(plain) }
            } else {
                try reader.read(part[...])
            }
        }
        try inflater?.finish()
        try reader.finish()
        return reader.visitor
    }

    private func unzip(_ descriptor: Int32, _ visitor: ArchiveUnpacking) throws(HalcyonError) -> ArchiveUnpacking {
        var visitor = visitor
        let reader = ZipReader(byteCount: CacheFile.byteCount(path)) { [path] offset, count throws(HalcyonError) in
            try Self.read(descriptor, offset, count, path)
        }
        for entry in try reader.entries() where try visitor.begin(entry.entry) {
            try reader.content(of: entry) { (bytes) throws(HalcyonError) in try visitor.write(bytes) }
            try visitor.end()
        }
        return visitor
    }

    private static func read(_ descriptor: Int32, _ offset: Int64, _ count: Int, _ path: String) throws(HalcyonError)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + Int64(filled)))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw CacheFolder.failure("read", path) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}

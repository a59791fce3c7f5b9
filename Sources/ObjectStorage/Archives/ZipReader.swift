internal import Tensors

/// A ZIP archive, read by its directory: entries that are stored or deflated, and the form for large files.
struct ZipReader {
    private static let mostEntries = 200_000
    private static let longestDirectory: Int64 = 64 << 20

    struct Entry: Hashable {
        var entry: ArchiveEntry
        var method: UInt16
        var compressedCount: Int64
        /// Where its own header is.
        var offset: Int64
    }

    let byteCount: Int64
    /// Bytes from a place on, as many as were asked for or fewer at the end.
    let read: (_ offset: Int64, _ count: Int) throws(HalcyonError) -> [UInt8]

    private static func failure(_ what: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the archive is no ZIP archive that can be read: \(what)")
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ count: Int) throws(HalcyonError) -> UInt64 {
        guard offset >= 0, offset + count <= bytes.count else { throw failure("it ends too early") }
        let start = bytes.startIndex + offset
        return bytes[start..<(start + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func place(_ number: UInt64) throws(HalcyonError) -> Int64 {
        guard let place = Int64(exactly: number), place < 1 << 50 else { throw failure("a number is too large") }
        return place
    }

    func entries() throws(HalcyonError) -> [Entry] {
        // The end has a comment of 65,535 bytes at most.
        let tailCount = Int(min(byteCount, 65557))
        let tail = try read(byteCount - Int64(tailCount), tailCount)
        guard tail.count >= 22,
            let end = (0...(tail.count - 22)).reversed().first(where: { tail[$0...].starts(with: [0x50, 0x4B, 5, 6]) })
        else { throw Self.failure("it has no directory") }
        var count = try Self.number(tail[...], end + 10, 2)
        var size = try Self.number(tail[...], end + 12, 4)
        var offset = try Self.number(tail[...], end + 16, 4)
        if end >= 20, tail[(end - 20)...].starts(with: [0x50, 0x4B, 6, 7]) {
            let place = try Self.place(try Self.number(tail[...], end - 12, 8))
            let record = try read(place, 56)
            guard record.starts(with: [0x50, 0x4B, 6, 6]) else {
                throw Self.failure("its directory is not where it says")
            }
            count = try Self.number(record[...], 32, 8)
            size = try Self.number(record[...], 40, 8)
            offset = try Self.number(record[...], 48, 8)
        }
        guard count <= Self.mostEntries, size <= Self.longestDirectory else {
            throw Self.failure("it has too many entries")
        }
        var rest = try read(try Self.place(offset), Int(size))[...]
        var entries: [Entry] = []
        for _ in 0..<count { entries.append(try Self.takeEntry(&rest)) }
        return entries
    }

    private static func takeEntry(_ rest: inout ArraySlice<UInt8>) throws(HalcyonError) -> Entry {
        guard rest.starts(with: [0x50, 0x4B, 1, 2]) else { throw failure("an entry of its directory is none") }
        let flags = try number(rest, 8, 2)
        guard flags & 1 == 0 else { throw failure("it is encrypted") }
        var compressed = try number(rest, 20, 4)
        var plain = try number(rest, 24, 4)
        let (nameCount, extraCount) = (Int(try number(rest, 28, 2)), Int(try number(rest, 30, 2)))
        let commentCount = Int(try number(rest, 32, 2))
        let mode = try number(rest, 38, 4) >> 16
        var offset = try number(rest, 42, 4)
        let method = UInt16(truncatingIfNeeded: try number(rest, 10, 2))
        guard rest.count >= 46 + nameCount + extraCount + commentCount else { throw failure("it ends too early") }
        let nameStart = rest.startIndex + 46
        guard let path = String(validating: rest[nameStart..<(nameStart + nameCount)], as: UTF8.self) else {
            throw failure("a name is not UTF-8")
        }
        var extra = rest[(nameStart + nameCount)..<(nameStart + nameCount + extraCount)]
        while extra.count >= 4 {
            let (kind, length) = (try number(extra, 0, 2), Int(try number(extra, 2, 2)))
            guard extra.count >= 4 + length else { throw failure("an extra field is too long") }
            if kind == 1 {
                var field = extra.dropFirst(4).prefix(length)
                for isWanted in [plain == 0xFFFF_FFFF, compressed == 0xFFFF_FFFF, offset == 0xFFFF_FFFF].enumerated()
                where isWanted.element {
                    let value = try number(field, 0, 8)
                    field = field.dropFirst(8)
                    switch isWanted.offset {
                    case 0: plain = value
                    case 1: compressed = value
                    default: offset = value
                    }
                }
            }
            extra = extra.dropFirst(4 + length)
        }
        rest = rest.dropFirst(46 + nameCount + extraCount + commentCount)
        // The type of a file of Unix, where the archive was made there.
        let isLink = mode & 0xF000 == 0xA000
        let kind: ArchiveEntry.Kind = path.hasSuffix("/") ? .folder : isLink ? .other : .file
        return Entry(
            entry: ArchiveEntry(path: path, kind: kind, byteCount: try place(plain)), method: method,
            compressedCount: try place(compressed), offset: try place(offset))
    }

    /// Hands over the content of an entry.
    func content(
        of entry: Entry, _ output: (ArraySlice<UInt8>) throws(HalcyonError) -> Void
    ) throws(HalcyonError) {
        let header = try read(entry.offset, 30)
        guard header.starts(with: [0x50, 0x4B, 3, 4]) else { throw Self.failure("an entry is not where it should be") }
        var offset = entry.offset + 30
        offset += Int64(try Self.number(header[...], 26, 2)) + Int64(try Self.number(header[...], 28, 2))
        var left = entry.compressedCount
        guard entry.method == 0 || entry.method == 8 else {
            throw Self.failure(
                "'\(UntrustedText.shown(entry.entry.path))' is compressed by method \(entry.method), and 0 and 8 are "
                    + "known")
        }
        let inflater = entry.method == 8 ? try Inflater(.bare) : nil
        while left > 0 {
            let part = try read(offset, Int(min(left, 1 << 20)))
            guard !part.isEmpty else { throw Self.failure("it ends too early") }
            if let inflater { try inflater.read(part[...], output: output) } else { try output(part[...]) }
            offset += Int64(part.count)
            left -= Int64(part.count)
        }
        try inflater?.finish()
    }
}

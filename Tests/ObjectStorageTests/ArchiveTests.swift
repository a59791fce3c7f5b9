import CZlib
import Tensors
import Testing

@testable import ObjectStorage

/// Notes what an archive has.
private struct Notes: ArchiveVisitor {
    var entries: [ArchiveEntry] = []
    var contents: [[UInt8]] = []
    var ends = 0

    mutating func begin(_ entry: ArchiveEntry) -> Bool {
        entries.append(entry)
        if entry.kind == .file { contents.append([]) }
        return entry.kind == .file
    }

    mutating func write(_ bytes: ArraySlice<UInt8>) { contents[contents.count - 1] += bytes }
    mutating func end() { ends += 1 }
}

struct TarReaderTests {
    static func header(_ name: String, type: Character = "0", size: Int, prefix: String = "") -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, at: 0)
        let octal = String(size, radix: 8)
        put(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
        block[156] = type.asciiValue ?? 0
        put("ustar\u{0}00", at: 257)
        put(prefix, at: 345)
        put("        ", at: 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
        return block
    }

    static func entry(_ name: String, type: Character = "0", _ content: String, prefix: String = "") -> [UInt8] {
        let bytes = Array(content.utf8)
        return header(name, type: type, size: bytes.count, prefix: prefix) + bytes
            + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private func read(_ bytes: [UInt8], parts: Int) throws -> Notes {
        var reader = TarReader(Notes())
        for start in stride(from: 0, to: bytes.count, by: parts) {
            try reader.read(bytes[start..<min(bytes.count, start + parts)])
        }
        try reader.finish()
        return reader.visitor
    }

    @Test(arguments: [1, 7, 512, 100_000])
    func `Files, folders and long names are read in parts of any length`(parts: Int) throws {
        let long = String(repeating: "long/", count: 30) + "name"
        let record = " path=\(long)\n"
        let pax = "\(record.utf8.count + 3)\(record)"
        let bytes =
            Self.entry("./m/", type: "5", "") + Self.entry("config.pbtxt", "text", prefix: "m")
            + Self.entry("x", type: "x", pax) + Self.entry("short", String(repeating: "y", count: 600))
            + Self.entry("L", type: "L", "m/gnu\u{0}") + Self.entry("short", "")
            + Self.entry("g", type: "g", "11 a=bcdef\n")
            + [UInt8](repeating: 0, count: 1024)
        let notes = try read(bytes, parts: parts)
        #expect(notes.entries.map(\.plainPath) == ["m", "m/config.pbtxt", long, "m/gnu"])
        #expect(notes.entries.map(\.kind) == [.folder, .file, .file, .file])
        #expect(notes.contents.map(\.count) == [4, 600, 0])
        #expect(notes.ends == 3)
    }

    @Test func `Links are told apart`() throws {
        let notes = try read(Self.entry("a", type: "2", "") + Self.entry("b", type: "1", ""), parts: 512)
        #expect(notes.entries.map(\.kind) == [.other, .other])
    }

    @Test func `What is damaged is refused`() {
        let good = Self.entry("a", String(repeating: "x", count: 600))
        var wrong = good
        wrong[0] ^= 1
        #expect(throws: HalcyonError.self) { try read(wrong, parts: 512) }
        #expect(throws: HalcyonError.self) { try read(Array(good.prefix(700)), parts: 512) }
        #expect(throws: HalcyonError.self) { try read(Array(good.prefix(100)), parts: 512) }
        #expect(throws: HalcyonError.self) { try read([UInt8](repeating: 0x41, count: 512), parts: 512) }
        #expect(throws: HalcyonError.self) { try read(Self.entry("x", type: "x", "999 path=y\n"), parts: 512) }
        #expect(throws: HalcyonError.self) { try read(Self.entry("x", type: "x", "0 path=y\n"), parts: 512) }
        #expect(throws: HalcyonError.self) { try read(Self.entry("x", type: "x", " \n"), parts: 512) }
    }
}

struct ZipReaderTests {
    private static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private func archive(_ name: String, _ content: String, method: Int = 0, mode: Int = 0x81A4) -> [UInt8] {
        let (path, body) = (Array(name.utf8), Array(content.utf8))
        let sizes = Self.bytes(0, 4) + Self.bytes(body.count, 4) + Self.bytes(body.count, 4) + Self.bytes(path.count, 2)
        let local =
            [0x50, 0x4B, 3, 4] + Self.bytes(20, 2) + Self.bytes(0, 2) + Self.bytes(method, 2) + Self.bytes(0, 4) + sizes
            + Self.bytes(0, 2) + path + body
        let central =
            [0x50, 0x4B, 1, 2] + Self.bytes(20, 4) + Self.bytes(0, 2) + Self.bytes(method, 2) + Self.bytes(0, 4)
            + sizes + Self.bytes(0, 8) + Self.bytes(mode << 16, 4) + Self.bytes(0, 4) + path
        return local + central + [0x50, 0x4B, 5, 6] + Self.bytes(0, 4) + Self.bytes(1, 2) + Self.bytes(1, 2)
            + Self.bytes(central.count, 4) + Self.bytes(local.count, 4) + Self.bytes(0, 2)
    }

    private func reader(_ bytes: [UInt8]) -> ZipReader {
        ZipReader(byteCount: Int64(bytes.count)) { offset, count in
            guard offset >= 0, offset < Int64(bytes.count) else { return [] }
            return Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
        }
    }

    @Test func `A stored file is read`() throws {
        let zip = reader(archive("m/1/x", "content"))
        let entries = try zip.entries()
        #expect(entries.map(\.entry) == [ArchiveEntry(path: "m/1/x", kind: .file, byteCount: 7)])
        var content: [UInt8] = []
        try zip.content(of: entries[0]) { content += $0 }
        #expect(content == Array("content".utf8))
        #expect(try reader(archive("m/", "")).entries().map(\.entry.kind) == [.folder])
        #expect(try reader(archive("m", "target", mode: 0xA1FF)).entries().map(\.entry.kind) == [.other])
    }

    @Test func `What is damaged is refused`() throws {
        let good = archive("m/1/x", "content")
        for bytes in [[], Array(good.prefix(20)), Array(good.dropLast(30)), [UInt8](repeating: 7, count: 100)] {
            #expect(throws: HalcyonError.self) { try reader(bytes).entries() }
        }
        // Each byte of the directory and the end, damaged: refused or read, never more.
        for index in (good.count - 22 - 51)..<good.count {
            var bytes = good
            bytes[index] ^= 0xFF
            let damaged = reader(bytes)
            for entry in (try? damaged.entries()) ?? [] { try? damaged.content(of: entry) { _ in } }
        }
        let stored = reader(archive("x", "content", method: 8))
        let entries = try stored.entries()
        #expect(throws: HalcyonError.self) { try stored.content(of: entries[0]) { _ in } }
    }
}

struct InflaterTests {
    /// Bytes of zeros, compressed without a frame.
    private func compressed(_ count: Int) -> [UInt8] {
        let plain = [UInt8](repeating: 0, count: count)
        var size = compressBound(uLong(count))
        var bytes = [UInt8](repeating: 0, count: Int(size))
        #expect(compress2(&bytes, &size, plain, uLong(count), 9) == Z_OK)
        // Without the frame of zlib.
        return Array(bytes[..<Int(size)].dropFirst(2).dropLast(4))
    }

    @Test(arguments: [0, 1, 21, 100, 243, 1000])
    func `All comes out, also where the last bytes that come in hold more than there is room for`(more: Int) throws {
        for parts in [1, 100_000] {
            let bytes = compressed((1 << 18) + more)
            let inflater = try Inflater(.bare)
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: parts) {
                try inflater.read(bytes[start..<min(bytes.count, start + parts)]) { count += $0.count }
            }
            try inflater.finish()
            #expect(count == (1 << 18) + more)
        }
    }

    @Test func `What ends too early is refused`() throws {
        let bytes = compressed(1 << 18)
        let inflater = try Inflater(.bare)
        try inflater.read(bytes.dropLast(1)) { _ in }
        #expect(throws: HalcyonError.self) { try inflater.finish() }
    }
}

struct ArchiveUnpackingTests {
    @Test func `The folder around models is found, and a model is none`() {
        let root = { (files: [String]) in
            ArchiveUnpacking.root(files: files, folders: Set(files.flatMap { RemoteTree.parents(of: $0) }))
        }
        #expect(root(["models/m/1/x", "models/m/config.pbtxt", "models/n/1/y"]) == "models")
        #expect(root(["m/1/x", "m/config.pbtxt"]) == "")
        #expect(root(["m/1/x"]) == "")
        #expect(root(["m/1/x", "n/1/x"]) == "")
        #expect(root(["config.pbtxt", "1/x"]) == "")
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../../x", "a//b"])
    func `What would lie outside is refused`(path: String) {
        var unpacking = ArchiveUnpacking(into: "/nonexistent", byteLimit: 100)
        let error = #expect(throws: HalcyonError.self) {
            _ = try unpacking.begin(ArchiveEntry(path: path, kind: .file, byteCount: 1))
        }
        #expect(error?.message.contains("no file can have") == true)
    }

    @Test func `Links, and more than there is room for, are refused`() {
        var unpacking = ArchiveUnpacking(into: "/nonexistent", byteLimit: 100)
        let link = #expect(throws: HalcyonError.self) {
            _ = try unpacking.begin(ArchiveEntry(path: "a", kind: .other, byteCount: 0))
        }
        #expect(link?.message.contains("a link or a device") == true)
        let large = #expect(throws: HalcyonError.self) {
            _ = try unpacking.begin(ArchiveEntry(path: "a", kind: .file, byteCount: .max))
        }
        #expect(large?.message.contains("takes more than 100 bytes") == true)
    }
}

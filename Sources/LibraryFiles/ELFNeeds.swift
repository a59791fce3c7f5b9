private import Glibc
package import Tensors

/// What a shared library says of itself, read from its file before it is opened.
package struct ELFNeeds: Hashable, Sendable {
    /// The libraries that it is linked to, in order.
    package var libraries: [String]
    /// The folders in which it looks for them, as written.
    package var searchPaths: [String]

    private static let tableLimit = 64 << 20

    /// - Throws: `invalidArgument` for what is no complete library, or one of another processor.
    package init(of path: String) throws(HalcyonError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw HalcyonError(.notFound, "'\(path)' can't be read: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        func damaged(_ what: String) -> HalcyonError {
            HalcyonError(.invalidArgument, "'\(path)' is no complete library: \(what)")
        }
        func bytes(at offset: UInt64, _ count: UInt64, _ what: String) throws(HalcyonError) -> [UInt8] {
            guard count <= Self.tableLimit, let start = Int(exactly: offset) else {
                throw damaged("its \(what) can't be where it says")
            }
            var bytes = [UInt8](repeating: 0, count: Int(count))
            guard pread(file, &bytes, bytes.count, start) == bytes.count else {
                throw damaged("it ends before its \(what)")
            }
            return bytes
        }
        let identity = try bytes(at: 0, 64, "header")
        guard identity.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw damaged("it does not begin as one") }
        func load<Value: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, _: Value.Type) -> Value {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
        }
        let machine = load(identity, 18, UInt16.self)
        guard identity[4] == 2, identity[5] == 1, machine == Self.ownMachine else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is a library for \(Self.name(ofMachine: machine)), and this machine is "
                    + Self.name(ofMachine: Self.ownMachine))
        }
        guard ELFFile.isComplete(path) else { throw damaged("it was cut short") }
        let entrySize = 56
        let count = Int(load(identity, 56, UInt16.self))
        guard load(identity, 54, UInt16.self) == UInt16(entrySize) else { throw damaged("its segments have odd sizes") }
        let segments = try bytes(at: load(identity, 32, UInt64.self), UInt64(count * entrySize), "table of segments")
        var loaded: [(address: UInt64, offset: UInt64, size: UInt64)] = []
        var dynamic: [UInt8] = []
        for index in 0..<count {
            let start = index * entrySize
            let (offset, address) = (load(segments, start + 8, UInt64.self), load(segments, start + 16, UInt64.self))
            let size = load(segments, start + 32, UInt64.self)
            switch load(segments, start, UInt32.self) {
            case 1: loaded.append((address, offset, size))
            case 2: dynamic = try bytes(at: offset, size, "dynamic section")
            default: break
            }
        }
        var entries: [(tag: UInt64, value: UInt64)] = []
        for start in stride(from: 0, to: dynamic.count - 15, by: 16) {
            let tag = load(dynamic, start, UInt64.self)
            if tag == 0 { break }
            entries.append((tag, load(dynamic, start + 8, UInt64.self)))
        }
        guard let table = entries.first(where: { $0.tag == 5 })?.value,
            let size = entries.first(where: { $0.tag == 10 })?.value,
            let segment = loaded.first(where: { table >= $0.address && table - $0.address < $0.size })
        else { throw damaged("it has no names") }
        let names = try bytes(at: table - segment.address + segment.offset, size, "names")
        func name(_ offset: UInt64) -> String {
            guard offset < UInt64(names.count) else { return "" }
            return String(decoding: names[Int(offset)...].prefix { $0 != 0 }, as: UTF8.self)
        }
        libraries = entries.filter { $0.tag == 1 }.map { name($0.value) }
        searchPaths = entries.filter { $0.tag == 15 || $0.tag == 29 }
            .flatMap { name($0.value).split(separator: ":").map(String.init) }
    }

    private static let ownMachine: UInt16 = {
        var system = utsname()
        uname(&system)
        let name = withUnsafeBytes(of: &system.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return name == "aarch64" ? 183 : 62
    }()

    private static func name(ofMachine machine: UInt16) -> String {
        switch machine {
        case 3: "32-bit x86"
        case 40: "32-bit ARM"
        case 62: "x86-64"
        case 183: "aarch64"
        case 243: "RISC-V"
        default: "processor number \(machine)"
        }
    }
}

private import CPlatform
internal import CTriton
private import Glibc
internal import Tensors
private import Threads

/// The library that backends are linked to, without its file: a shared library of nothing but names, each of which is
/// the address of this process's own function.
///
/// The system's loader takes it for the library that a backend asks for by that name, and looks for no other; whatever
/// program this is linked into, it needs to export nothing.
enum StandInLibrary {
    /// A name and where it is.
    struct Symbol {
        var name: String
        var address: UInt
    }

    /// The functions of the interface, in this process.
    static let symbols: [Symbol] = {
        let count = halcyon_triton_functions(nil, 0)
        var functions = [halcyon_triton_function](repeating: halcyon_triton_function(), count: count)
        _ = halcyon_triton_functions(&functions, count)
        return functions.map { Symbol(name: String(cString: $0.name), address: UInt(bitPattern: $0.address)) }
    }()

    private static let opened = Locked<Set<String>>([])

    /// Makes libraries that are linked to one of that name find the functions of this process.
    ///
    /// - Throws: `unsupported` where a library of that name with other functions is open already; `internal` for what
    ///   the system refuses.
    static func open(name: String) throws(HalcyonError) {
        try opened.withLock { opened throws(HalcyonError) in
            guard !opened.contains(name) else { return }
            // Where the functions are in a library of that name, backends find that.
            if let present = dlopen(name, RTLD_NOW | RTLD_NOLOAD) {
                let found = dlsym(present, "TRITONSERVER_ErrorNew")
                let own = symbols.first { $0.name == "TRITONSERVER_ErrorNew" }?.address
                guard let own, UInt(bitPattern: found) == own else {
                    throw HalcyonError(
                        .unsupported,
                        "a library '\(name)' that is not Halcyon's is part of this process: backends would call it")
                }
            } else {
                try load(bytes(name: name, symbols), name: name, number: opened.count)
            }
            opened.insert(name)
        }
    }

    private static func load(_ bytes: [UInt8], name: String, number: Int) throws(HalcyonError) {
        let file = halcyon_memory_make(bytes.count)
        guard file >= 0 else {
            throw HalcyonError(.internal, "no file in memory for '\(name)': \(String(cString: strerror(-file)))")
        }
        defer { close(file) }
        let isWritten = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) == $0.count }
        // The loader takes what has the same path for the same file, and descriptors' numbers come again.
        let path = "/proc/self/fd/\(String(repeating: "./", count: number))\(file)"
        // Global: a backend may have been linked without saying to what.
        guard isWritten, dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE) != nil else {
            let reason = dlerror().map { String(cString: $0) } ?? "it can't be written"
            throw HalcyonError(.internal, "the functions for backends can't be offered as '\(name)': \(reason)")
        }
    }

    /// A shared library in the form of the system's loader: one segment with the names, the table of symbols, the hash
    /// table by which they are found, and the section that says where these are.
    static func bytes(name: String, _ symbols: [Symbol]) -> [UInt8] {
        var names: [UInt8] = [0]
        func add(_ text: String) -> UInt32 {
            defer { names += Array(text.utf8) + [0] }
            return UInt32(names.count)
        }
        let ownName = add(name)
        let table = symbols.map { (name: add($0.name), symbol: $0) }

        // Offsets are addresses, too: the file is mapped as it is.
        let headerSize = 64
        let segmentsSize = 2 * 56
        let symbolsOffset = align(headerSize + segmentsSize)
        let symbolsSize = (table.count + 1) * 24
        let hashOffset = align(symbolsOffset + symbolsSize)
        let bucketCount = max(1, table.count)
        let hashSize = (2 + bucketCount + table.count + 1) * 4
        let namesOffset = align(hashOffset + hashSize)
        let dynamicOffset = align(namesOffset + names.count)
        let dynamic: [(UInt64, UInt64)] = [
            (UInt64(DT_SONAME), UInt64(ownName)), (UInt64(DT_HASH), UInt64(hashOffset)),
            (UInt64(DT_STRTAB), UInt64(namesOffset)), (UInt64(DT_SYMTAB), UInt64(symbolsOffset)),
            (UInt64(DT_STRSZ), UInt64(names.count)), (UInt64(DT_SYMENT), 24), (0, 0),
        ]
        let size = dynamicOffset + dynamic.count * 16

        var file = Writer()
        file.bytes([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        file.number(UInt16(3))
        file.number(machine)
        file.number(UInt32(1))
        for value in [0, UInt64(headerSize), 0] { file.number(value) }
        file.number(UInt32(0))
        for value in [64, 56, 2, 64, 0, 0] { file.number(UInt16(value)) }
        file.segment(type: 1, flags: 6, offset: 0, size: size, alignment: 0x10000)
        file.segment(type: 2, flags: 6, offset: dynamicOffset, size: dynamic.count * 16, alignment: 8)
        file.pad(to: symbolsOffset)
        file.bytes([UInt8](repeating: 0, count: 24))
        for entry in table {
            file.number(entry.name)
            // A global function, at an address that is not the library's to move (SHN_ABS).
            file.bytes([0x12, 0])
            file.number(UInt16(0xFFF1))
            file.number(UInt64(entry.symbol.address))
            file.number(UInt64(0))
        }
        file.pad(to: hashOffset)
        file.hashTable(symbols.map(\.name), buckets: bucketCount)
        file.pad(to: namesOffset)
        file.bytes(names)
        file.pad(to: dynamicOffset)
        for (tag, value) in dynamic {
            file.number(tag)
            file.number(value)
        }
        return file.content
    }

    private static var machine: UInt16 {
        var system = utsname()
        uname(&system)
        let name = withUnsafeBytes(of: &system.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return name == "aarch64" ? 183 : 62
    }

    private static func align(_ offset: Int) -> Int { (offset + 15) / 16 * 16 }
}

/// Little-endian numbers, one after the other.
private struct Writer {
    private(set) var content: [UInt8] = []

    mutating func bytes(_ bytes: [UInt8]) { content += bytes }

    mutating func number<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { content += $0 }
    }

    mutating func pad(to offset: Int) {
        content += [UInt8](repeating: 0, count: max(0, offset - content.count))
    }

    mutating func segment(type: UInt32, flags: UInt32, offset: Int, size: Int, alignment: UInt64) {
        number(type)
        number(flags)
        for value in [offset, offset, offset, size, size] { number(UInt64(value)) }
        number(alignment)
    }

    /// The hash table of System V's form; symbol 0 is none.
    mutating func hashTable(_ names: [String], buckets count: Int) {
        var buckets = [UInt32](repeating: 0, count: count)
        var chains = [UInt32](repeating: 0, count: names.count + 1)
        for (index, name) in names.enumerated() {
            let bucket = Int(Self.hash(name)) % count
            chains[index + 1] = buckets[bucket]
            buckets[bucket] = UInt32(index + 1)
        }
        number(UInt32(count))
        number(UInt32(chains.count))
        for value in buckets + chains { number(value) }
    }

    private static func hash(_ name: String) -> UInt32 {
        var hash: UInt32 = 0
        for byte in name.utf8 {
            hash = (hash << 4) &+ UInt32(byte)
            let high = hash & 0xF000_0000
            if high != 0 { hash ^= high >> 24 }
            hash &= ~high
        }
        return hash
    }
}

private import Glibc

/// Shared libraries as files.
enum ELFFile {
    /// Whether a file is a 64-bit library that reaches to its end. Linkers write the table of sections last, so a file
    /// that was cut short does not hold all of it.
    static func isComplete(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var status = stat()
        var header = Elf64_Ehdr()
        let headerSize = MemoryLayout<Elf64_Ehdr>.size
        guard fstat(file, &status) == 0, read(file, &header, headerSize) == headerSize else { return false }
        let identity = header.e_ident
        guard identity.0 == 0x7F, identity.1 == 0x45, identity.2 == 0x4C, identity.3 == 0x46, identity.4 == 2 else {
            return false
        }
        let tableSize = UInt64(header.e_shentsize) * UInt64(header.e_shnum)
        let (end, overflow) = header.e_shoff.addingReportingOverflow(tableSize)
        return !overflow && end <= UInt64(max(status.st_size, 0))
    }
}

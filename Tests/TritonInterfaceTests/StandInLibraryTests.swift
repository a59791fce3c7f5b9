import Glibc
import LibraryFiles
import Tensors
import Testing

@testable import TritonInterface

@Suite("The library that stands in for Triton's")
struct StandInLibraryTests {
    private func open(_ bytes: [UInt8]) throws -> UnsafeMutableRawPointer {
        let folder = try ScratchFolder()
        try folder.write(bytes, to: "lib.so")
        return try #require(dlopen("\(folder.path)/lib.so", RTLD_NOW | RTLD_LOCAL), "\(String(cString: dlerror()))")
    }

    @Test("each name is the address that it was given", arguments: [0, 1, 2, 300])
    func names(count: Int) throws {
        let symbols = (0..<count).map {
            StandInLibrary.Symbol(name: "halcyon_test_\($0)", address: UInt(0x10_0000 + 16 * $0))
        }
        let library = try open(StandInLibrary.bytes(name: "libstandin\(count).so", symbols))
        defer { dlclose(library) }
        for symbol in symbols { #expect(UInt(bitPattern: dlsym(library, symbol.name)) == symbol.address) }
        #expect(dlsym(library, "halcyon_test_\(count)") == nil)
        #expect(dlopen("libstandin\(count).so", RTLD_NOW | RTLD_NOLOAD) != nil)
    }

    @Test("the functions of this process are found under the name that a backend is linked to")
    func functions() throws {
        for _ in 0..<2 { try StandInLibrary.open(name: "libtritonserver-first.so") }
        // Another name right after it, as a backend and one of another package have.
        try StandInLibrary.open(name: "libtritonserver-test.so")
        let library = try #require(dlopen("libtritonserver-test.so", RTLD_NOW | RTLD_NOLOAD))
        let symbols = StandInLibrary.symbols
        #expect(symbols.count == 283)
        for symbol in symbols { #expect(UInt(bitPattern: dlsym(library, symbol.name)) == symbol.address) }
    }

    @Test("what a library needs is read from its file, before anything of it runs")
    func needs() throws {
        let path = try #require(LoadedLibraries.path(of: "libc.so.6"))
        #expect(try ELFNeeds(of: path).libraries.contains { $0.hasPrefix("ld-linux") })
        let folder = try ScratchFolder()
        try folder.write(Array("no library".utf8), to: "text.so")
        #expect(throws: HalcyonError.self) { try ELFNeeds(of: "\(folder.path)/text.so") }
        #expect(throws: HalcyonError.self) { try ELFNeeds(of: "\(folder.path)/none.so") }
        var bytes = StandInLibrary.bytes(name: "lib.so", [])
        bytes[18] = 40
        try folder.write(bytes, to: "arm.so")
        let error = #expect(throws: HalcyonError.self) { try ELFNeeds(of: "\(folder.path)/arm.so") }
        #expect(error?.message.contains("32-bit ARM") == true)
    }
}

/// Where the libraries of this process lie.
private enum LoadedLibraries {
    static func path(of name: String) -> String? {
        guard let file = fopen("/proc/self/maps", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasSuffix("/\(name)"), let slash = text.firstIndex(of: "/") { return String(text[slash...]) }
        }
        return nil
    }
}

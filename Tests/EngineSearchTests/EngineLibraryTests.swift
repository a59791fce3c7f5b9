import Foundation
import HalcyonTestKit
import LibraryFiles
import Tensors
import Testing

@Suite("Libraries that are opened")
struct EngineLibraryTests {
    private let engine = EngineLibrary(
        "the engine", baseName: "libnowhere.so", version: "7", remedy: "Install the engine")

    private func error(_ body: () throws -> Void) -> HalcyonError? {
        do { try body() } catch { return error as? HalcyonError }
        return nil
    }

    @Test("One that is nowhere is reported with the places and what to install")
    func nowhere() throws {
        let folder = try TemporaryFolder.make()
        let error = error { _ = try engine.open(directories: [folder.path], absence: LibraryAbsence()) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.hasPrefix("the engine (libnowhere.so) is not in \(folder.path)") == true)
        #expect(error?.message.hasSuffix("Install the engine") == true)
        #expect(!engine.isInstalled(directories: [folder.path]))
        #expect(engine.systemNames == ["libnowhere.so.7", "libnowhere.so"])
    }

    @Test("One that is no library is not opened")
    func damaged() throws {
        let folder = try TemporaryFolder.make()
        try "text".write(to: folder.appendingPathComponent("libnowhere.so.7"), atomically: true, encoding: .utf8)
        #expect(engine.isInstalled(directories: [folder.path]))
        let error = error { _ = try engine.open(directories: [folder.path], absence: LibraryAbsence()) }
        #expect(
            error?.message
                == "the engine is damaged: '\(folder.path)/libnowhere.so.7' is no complete library. Install the engine")
    }

    @Test("The first name that the system knows is opened, and its functions are bound")
    func system() throws {
        let library = try DynamicLibrary.open(["libnowhere.so", "libm.so.6"]) { HalcyonError(.unavailable, $0) }
        #expect(library.name == "libm.so.6")
        let table: Int32 = try library.functions { (handle, table) throws(HalcyonError) in
            #expect(handle == library.pointer)
            table.initialize(to: 7)
        }
        #expect(table == 7)
        let reason = error { _ = try DynamicLibrary.open(["libnowhere.so"]) { HalcyonError(.unavailable, $0) } }
        #expect(reason?.message.contains("libnowhere.so") == true)
        #expect(
            error { _ = try DynamicLibrary.open([]) { HalcyonError(.unavailable, $0) } }?.message == "no name was given"
        )
    }
}

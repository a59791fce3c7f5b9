import Foundation
import HalcyonTestKit

/// A folder of a test's own.
struct ScratchFolder {
    let url: URL

    init() throws { url = try TemporaryFolder.make() }

    var path: String { url.path }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent(name), withIntermediateDirectories: true)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: url.appendingPathComponent(name))
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }
}

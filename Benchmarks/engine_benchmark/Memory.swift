internal import ArgumentParser
internal import Foundation
internal import Halcyon
internal import JSONText

/// Resident memory with a model whose instances have all worked.
struct Memory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures resident memory.")

    @OptionGroup var model: ModelOptions

    func run() async throws {
        let server = try model.server()
        let baseline = Self.residentBytes()
        try await server.loadModel(model.model)
        let request = try model.request(server)
        let instances = try server.modelConfiguration(model.model).instanceGroups.reduce(0) { $0 + $1.count }
        _ = try Callers.blocking(2 * instances, seconds: 3) { _ = try server.inferBlocking(request) }
        let result: JSONValue = [
            "resident_bytes": .integer(Self.residentBytes()), "baseline_bytes": .integer(baseline),
        ]
        print(result.compact)
        await server.shutdown()
    }

    /// What the system counts as resident, in bytes.
    private static func residentBytes() -> Int64 {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

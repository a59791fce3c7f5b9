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
        let baseline = Self.bytes(of: ["self"]).resident
        try await server.loadModel(model.model)
        let request = try model.request(server)
        let instances = try server.modelConfiguration(model.model).instanceGroups.reduce(0) { $0 + $1.count }
        _ = try Callers.blocking(2 * instances, seconds: 3) { _ = try server.inferBlocking(request) }
        let bytes = Self.bytes(of: ["self"] + Self.children())
        let result: JSONValue = [
            "resident_bytes": .integer(bytes.resident), "proportional_bytes": .integer(bytes.proportional),
            "baseline_bytes": .integer(baseline),
        ]
        print(result.compact)
        await server.shutdown()
    }

    /// What the system counts as resident, and what is left of that where each page that several processes have counts
    /// in parts, in bytes.
    private static func bytes(of processes: [String]) -> (resident: Int64, proportional: Int64) {
        var sums: (resident: Int64, proportional: Int64) = (0, 0)
        for process in processes {
            let text = (try? String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8)) ?? ""
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count > 1, let kilobytes = Int64(fields[1]) else { continue }
                if fields[0] == "Rss:" { sums.resident += kilobytes * 1024 }
                if fields[0] == "Pss:" { sums.proportional += kilobytes * 1024 }
            }
        }
        return sums
    }

    /// The numbers of this process's workers.
    private static func children() -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.flatMap { task in
            let text = (try? String(contentsOfFile: "/proc/self/task/\(task)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").map(String.init)
        }
    }
}

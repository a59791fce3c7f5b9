private import Foundation
internal import Halcyon
internal import JSONText

/// One run of the command: all repositories, one after the other.
struct Session {
    private let flags: Flags
    private let output: Output

    init(_ flags: Flags) {
        self.flags = flags
        output = Output(isJSON: flags.json)
    }

    func run() async throws {
        guard flags.memory == .system else {
            throw HalcyonError(
                .unsupported,
                "-m \(flags.memory.rawValue) needs a GPU, and this version runs on the processor only: use -m system")
        }
        for image in flags.images where !FileManager.default.isReadableFile(atPath: image) {
            throw HalcyonError(.notFound, "the picture '\(image)' does not exist or can't be read")
        }
        var results: [CaseResult] = []
        for repository in flags.repositories {
            if flags.repositories.count > 1 { output.say("\n== \(repository)") }
            results.append(try await DetectionCase(flags, repository: repository, output: output).run())
        }
        if flags.json {
            let cases = results.map(\.json)
            print((cases.count == 1 ? cases[0] : ["cases": .array(cases)]).pretty)
        } else if results.count > 1 {
            output.say("\n" + CaseTable(results).text)
        }
    }
}

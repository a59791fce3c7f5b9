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
        for image in flags.images { try checkIsReadable(image) }
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

    /// Finds a picture that is missing before a server is started for it. What is no file is refused unopened: opening
    /// a pipe would wait for its writer.
    private func checkIsReadable(_ image: String) throws(HalcyonError) {
        let path = URL(fileURLWithPath: image).resolvingSymlinksInPath().path
        guard !image.isEmpty, let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            throw HalcyonError(.notFound, "the picture '\(image)' does not exist")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw HalcyonError(.invalidArgument, "the picture '\(image)' is not a file")
        }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw HalcyonError(.invalidArgument, "the picture '\(image)' can't be read")
        }
    }
}

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
        let file = flags.results.map { ResultFile($0) }
        let earlier = try file?.read() ?? []
        var results: [CaseResult] = []
        for repository in flags.repositories {
            let result = try await DetectionCase(flags, repository: repository, output: output).run()
            output.say(result.headline)
            results.append(result)
        }
        let cases = ResultFile.merge(earlier, with: results.map(\.figures))
        try file?.write(cases)
        if flags.json {
            let cases = results.map(\.json)
            print((cases.count == 1 ? cases[0] : ["cases": .array(cases)]).pretty)
        } else {
            report(results, among: cases)
        }
    }

    /// The tables, then everything else, then the comparison.
    ///
    /// - Parameter cases: those of earlier runs, and those of this one.
    private func report(_ results: [CaseResult], among cases: [CaseFigures]) {
        let before = cases.dropLast(results.count)
        for (index, result) in results.enumerated() {
            let earlier = Array(before) + results[..<index].map(\.figures).filter { $0.work == result.figures.work }
            output.say("\n\(CaseTable.text(result.figures))")
            output.say(CaseSentence(result.figures, after: earlier).text)
        }
        for result in results {
            output.say("\n== \(result.repository)")
            for line in result.summary { output.say(line) }
            output.say(result.details)
        }
        if cases.count > 1 { output.say("\n\(CaseTable.text(cases))") }
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

private import Foundation
internal import Tensors

/// Keeps what cases have measured from one run of the command to the next, so that they can be compared.
struct ResultFile {
    private let path: String

    init(_ path: String) { self.path = path }

    /// The cases that the file holds; none where there is no file.
    ///
    /// - Throws: `invalidArgument` for a file that is none of these.
    func read() throws(HalcyonError) -> [CaseFigures] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            return try JSONDecoder().decode([CaseFigures].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw HalcyonError(
                .invalidArgument,
                "--results '\(path)' does not hold what people_detection writes there; remove it, or name another file")
        }
    }

    /// Puts the cases into the file, in one step.
    ///
    /// - Throws: `invalidArgument` where it can't be written.
    func write(_ cases: [CaseFigures]) throws(HalcyonError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            let file = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try encoder.encode(cases).write(to: file, options: .atomic)
        } catch {
            throw HalcyonError(.invalidArgument, "--results '\(path)' can't be written: \(error.localizedDescription)")
        }
    }

    /// The cases of earlier runs, then those of this one; a repository's new case takes the place of its old one, and
    /// what did other work is left out.
    static func merge(_ earlier: [CaseFigures], with cases: [CaseFigures]) -> [CaseFigures] {
        guard let work = cases.first?.work else { return earlier }
        let names = Set(cases.map(\.repository))
        return earlier.filter { $0.work == work && !names.contains($0.repository) } + cases
    }
}

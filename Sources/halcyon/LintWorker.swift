internal import Glibc
internal import JSONText
internal import ModelRepository
internal import Tensors

/// The process that opens models. It may end at any of them.
struct LintWorker {
    private let loader: ModelLoader
    private let flags: LintWorkerFlags

    init(_ loader: ModelLoader, _ flags: LintWorkerFlags) {
        self.loader = loader
        self.flags = flags
    }

    func run() throws(HalcyonError) {
        var options = RepositoryLint.Options()
        options.closed = Set(flags.closed)
        options.willOpen = { Self.say(.opening($0)) }
        let lint = RepositoryLint(loader, options)
        do throws(HalcyonError) {
            let keys = try lint.keys()
            let first = flags.after.flatMap { keys.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            for key in keys[first...] { Self.say(.looked(key, lint.findings(of: key, among: Set(keys)))) }
        } catch {
            Self.say(.failed(error.message))
        }
    }

    /// On a line of its own, whatever an engine has written before.
    private static func say(_ message: LintMessage) {
        print("\n\(message.json.compact)")
        fflush(nil)
    }
}

internal import CPlatform
internal import ConversionCommand
internal import Glibc
internal import ModelConversion
internal import ModelRepository
internal import Tensors

/// Has the models opened by another process, and by a new one behind each model that ends it.
struct LintSupervisor {
    private let keys: [String]

    /// - Throws: where the repositories can't be read.
    init(_ loader: ModelLoader) throws(HalcyonError) { keys = try RepositoryLint(loader, .init()).keys() }

    func findings() throws -> [LintFinding] {
        let interrupts = try Interrupts.ofThisProcess()
        let progress = LintProgress(total: keys.count)
        defer { progress.finish() }
        var state = LintState(keys: keys)
        while !state.isOver {
            var last = LastWords()
            let ending = try child(state).run(interrupts: interrupts) { stream, line in
                guard stream == .output, let message = LintMessage(line) else { return last.add(line) }
                state.take(message)
                progress.show(state.opening ?? "", number: state.looked.count + 1)
            }
            try state.end(ending, lastWords: last.text(or: "it said nothing"))
        }
        return state.findings
    }

    private func child(_ state: LintState) throws(HalcyonError) -> ChildProcess {
        guard let program = realpath("/proc/self/exe", nil) else {
            throw HalcyonError(.internal, "the path of this program is not known: use --no-open")
        }
        defer { free(program) }
        var arguments = ["lint", "--lint-worker"]
        if let last = state.looked.last { arguments += ["--lint-after", last] }
        for key in state.deadly.keys.sorted() { arguments += ["--lint-closed", key] }
        var variables = VariableList.read(halcyon_environment())
        // What ended it is said in a sentence.
        variables["SWIFT_BACKTRACE"] = "enable=no"
        return ChildProcess(
            executable: String(cString: program), arguments: arguments + CommandLine.arguments.dropFirst(2),
            environment: variables, directory: ".")
    }
}

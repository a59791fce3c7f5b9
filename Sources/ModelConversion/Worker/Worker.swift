internal import JSONText
internal import Tensors

/// Runs the Python program that converts, and turns what it says into progress, a result or an error.
struct Worker {
    /// The absolute path of the interpreter.
    var python: String
    /// The folder with the programs.
    var programs: String
    /// A private folder, in which it runs.
    var directory: String
    var variables: [String: String]
    var console: Console
    var interrupts: Interrupts

    /// - Throws: what the worker says went wrong; where it ended without a word, its last words; `cancelled`.
    func run(_ order: JSONValue) throws -> ConversionResult {
        let job = "\(directory)/job.json"
        // It may hold the key of an encrypted model.
        try Files.write(Array(order.compact.utf8), to: job, mode: 0o600)
        let child = ChildProcess(
            executable: python, arguments: ["\(programs)/convert_model.py", job],
            environment: PythonEnvironment.settings(variables), directory: directory)
        var outcome: Result<JSONValue, HalcyonError>?
        var step = ""
        var last = LastWords()
        let ending = try child.run(interrupts: interrupts) { stream, line in
            guard stream == .output, let message = WorkerMessage(line) else { return last.add(line) }
            switch message {
            case .step(let name):
                step = name
                console.begin(name)
            case .progress(let done, let total): console.progress(done: done, total: total)
            case .notice(let text): console.say("notice: \(text)")
            case .result(let value): outcome = .success(value)
            case .failure(let error): outcome = .failure(error)
            }
        }
        switch (ending, outcome) {
        case (_, .failure(let error)): throw error
        case (.exited(0), .success(let value)): return try ConversionResult(value)
        default: throw Self.death(ending, step: step, last: last)
        }
    }

    /// The error for a worker that ended without saying why.
    private static func death(_ ending: ChildProcess.Ending, step: String, last: LastWords) -> HalcyonError {
        let words = last.text(or: "it said nothing")
        switch ending {
        case .killed(let signal) where signal == 9:
            return HalcyonError(
                .unavailable,
                "the conversion was killed while \(step.isEmpty ? "starting" : step): most likely the machine had "
                    + "not enough memory for it; \(words)")
        case .killed(let signal) where step == "reading the model":
            return HalcyonError(
                .invalidArgument,
                "the model could not be read: its parser ended with signal \(signal), as it may with a damaged file; "
                    + "\(words)"
            )
        case .killed(let signal):
            return HalcyonError(
                .internal,
                "the conversion ended with signal \(signal) while \(step.isEmpty ? "starting" : step): \(words)")
        case .exited(let status):
            return HalcyonError(
                .internal,
                "the conversion ended with status \(status) and without a result while "
                    + "\(step.isEmpty ? "starting" : step): \(words)")
        }
    }
}

internal import Glibc
internal import ModelConversion
internal import ModelRepository
internal import Tensors

/// What is known while models are opened elsewhere.
struct LintState {
    let keys: [String]
    /// The models that have been looked at, and what there is to say of each.
    private(set) var looked: [String] = []
    private var said: [String: [LintFinding]] = [:]
    /// The model that is being opened.
    private(set) var opening: String?
    /// The models that have ended a process, and how.
    private(set) var deadly: [String: String] = [:]
    private var failure: String?
    private var hasEnded = false

    init(keys: [String]) { self.keys = keys }

    var isOver: Bool { hasEnded || looked.count >= keys.count }

    /// By model, in order. What ended a process comes first.
    var findings: [LintFinding] {
        keys.flatMap { key in
            (deadly[key].map { [LintFinding(model: key, severity: .error, text: $0)] } ?? []) + (said[key] ?? [])
        }
    }

    mutating func take(_ message: LintMessage) {
        switch message {
        case .opening(let key): opening = key
        case .looked(let key, let findings):
            looked.append(key)
            said[key] = findings
            opening = nil
        case .failed(let message): failure = message
        }
    }

    /// The process has ended: with its work, or by a model, behind which a new one goes on.
    ///
    /// - Throws: where it can't go on.
    mutating func end(_ ending: ChildProcess.Ending, lastWords: String) throws(HalcyonError) {
        if let failure { throw HalcyonError(.invalidArgument, failure) }
        guard ending != .exited(0), looked.count < keys.count else {
            hasEnded = true
            return
        }
        let how =
            switch ending {
            case .exited(let status): "with status \(status)"
            case .killed(let signal): "by signal \(signal) (\(String(cString: strsignal(signal))))"
            }
        guard let key = opening, deadly[key] == nil else {
            throw HalcyonError(
                .internal,
                "the process that opens models ended \(how) while it opened none: \(lastWords); use --no-open")
        }
        deadly[key] =
            "the process that loaded the model ended \(how), and a server would as well: either the model's file is "
            + "damaged, or its engine can't run it; \(lastWords)"
        opening = nil
    }
}

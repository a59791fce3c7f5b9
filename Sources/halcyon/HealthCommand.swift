internal import ArgumentParser
internal import LoadGeneration
internal import Tensors
internal import Transport
internal import URIText

/// `halcyon health`: asks a server how it is, as containers and service managers do that have no other program at hand.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Asks a running server whether it is live or ready; the status says it.",
        discussion: """
            Ends with 0 where the answer is yes, and with 1 and a line that says why not. It speaks plain HTTP: where \
            the port speaks TLS, ask by other means.
            """)

    enum Question: String, EnumerableFlag {
        case ready
        case live

        static func help(for value: Question) -> ArgumentHelp? {
            switch value {
            case .ready: "Whether requests are taken: all models are ready."
            case .live: "Whether the server answers at all."
            }
        }
    }

    @Flag(exclusivity: .exclusive)
    var question = Question.ready

    @Option(help: ArgumentHelp("Ask whether this model is ready.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("Where the server listens for HTTP, or unix:PATH.", valueName: "address"))
    var httpAddress = "127.0.0.1"

    @Option(help: "The port of HTTP.")
    var httpPort = 8000

    @Option(help: "Seconds to wait for an answer.")
    var timeoutSecs = 2

    func validate() throws { try FlagRange.check("timeout-secs", timeoutSecs, 1...3600) }

    func run() throws {
        do throws(HalcyonError) {
            let address = try ListenAddress(host: httpAddress, port: httpPort)
            try HealthProbe(address: address, path: path, timeoutSeconds: timeoutSecs).ask()
        } catch {
            StandardError.write("not \(question.rawValue): \(error.message)\n")
            throw ExitCode(1)
        }
    }

    var path: String {
        guard let model else { return "/v2/health/\(question.rawValue)" }
        return "/v2/models/\(PercentEncoding.encode(model))/ready"
    }
}

internal import ArgumentParser
internal import Halcyon
internal import LoadGeneration
internal import Tensors
internal import Threads

/// `halcyon bench`: puts a load on a model, and says how long answers take.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Puts a load on a model and measures it.",
        discussion: """
            The model is one of a server, Halcyon's or any other that speaks the KServe v2 protocol, at --url (by \
            default http://localhost:8000), or with --model-repository one that runs in this process, without a network.

            With --concurrency that many requests are under way all the time. With --request-rate or --arrivals \
            requests are due at certain times, and their latency counts from then, whether or not they could be sent.

            Each load is looked at in windows until three in a row agree. Ctrl-C ends it and shows what there is. \
            Exits with 1 where something is wrong: no server, no such model, inputs that do not fit, a server that \
            ends meanwhile.
            """)

    enum Format: String, WordFlag {
        case table
        case csv
        case json
    }

    enum Distribution: String, WordFlag {
        case constant
        case poisson
    }

    @Argument(help: "The model's name.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "Requests under way: 4, or several loads as 1,2,4,8, 1:16 or 1:64:x2. 1 where no load is given.",
            valueName: "list"))
    var concurrency: String?

    @Option(
        help: ArgumentHelp("Requests a second: 50, or several loads as 10,20 or 10:200:10.", valueName: "list"))
    var requestRate: String?

    @Option(help: "How the requests of --request-rate are spread: constant or poisson.")
    var requestDistribution = Distribution.constant

    @Option(
        help: ArgumentHelp(
            "A recorded trace to play once: a file with the seconds of each request on a line.", valueName: "file"))
    var arrivals: String?

    @Option(help: "With --request-rate or --arrivals: requests that may be under way at a time.")
    var maxUnderWay = 128

    @Option(help: "Over gRPC: requests under way that share a connection.")
    var streamsPerConnection = 1

    @Option(help: "Threads of this program that talk to the server; 0 for one per four processors.")
    var threads = 0

    @Option(help: "Requests in each sequence; for models with sequences 20 by default. 0 for no sequences.")
    var sequenceLength: Int?

    @Flag(
        help: ArgumentHelp(
            "Over gRPC: as a stream, as models with several responses to a request need it; for these it is the "
                + "default."
        ))
    var streaming = false

    @Option(help: "table, csv or json.")
    var format = Format.table

    @Option(help: ArgumentHelp("Also write a page with curves.", valueName: "file.html"))
    var report: String?

    @OptionGroup(title: "Server") var client: ClientFlags
    @OptionGroup(title: "In this process") var local: LocalServerFlags
    @OptionGroup(title: "Requests") var inputs: InputFlags
    @OptionGroup(title: "Windows") var windows: WindowFlags

    func validate() throws {
        let given = [(concurrency, "--concurrency"), (requestRate, "--request-rate"), (arrivals, "--arrivals")]
            .filter { $0.0 != nil }.map(\.1)
        if given.count > 1 { throw ValidationError("\(given.joined(separator: " and ")) do not go together") }
        guard (1...65536).contains(maxUnderWay), (1...10000).contains(streamsPerConnection),
            (0...256).contains(threads),
            (0...1_000_000).contains(sequenceLength ?? 0)
        else {
            throw ValidationError(
                "--max-under-way, --streams-per-connection, --threads and --sequence-length are numbers from 1, up to "
                    + "65536, 10000, 256 and 1000000")
        }
        if !local.repositories.isEmpty, let flag = client.usedFlags.first {
            throw ValidationError("\(flag) is for a server, and with --model-repository the model runs in this process")
        }
    }

    func run() async throws {
        do {
            try await measure()
        } catch let error as ExitCode {
            throw error
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
    }

    private func measure() async throws {
        let loads = try loads()
        let interrupts = InterruptFlag()
        let server = local.repositories.isEmpty ? nil : try await local.start(model)
        let target = try target(server)
        let result = await WorkerThread.run(name: "command") {
            () -> Result<(BenchReport, Bench.Outcome), HalcyonError> in
            Result { () throws(HalcyonError) in try measure(loads, target, interrupts) }
        }
        await server?.shutdown()
        let (outcome, ending) = try result.get()
        try show(outcome)
        if let fault = ending.fault { throw fault }
        if ending.wasInterrupted { throw ExitCode(130) }
    }

    private func show(_ outcome: BenchReport) throws(HalcyonError) {
        guard !outcome.results.isEmpty else { return }
        switch format {
        case .table: print(outcome.table)
        case .csv: print(outcome.csv)
        case .json: print(outcome.json)
        }
        guard let report else { return }
        try OutputFile.write(outcome.html, to: report)
        StandardError.write("The page is in \(report)\n")
    }

    private func measure(
        _ loads: [Load], _ target: any LoadTarget, _ interrupts: InterruptFlag
    ) throws(HalcyonError) -> (BenchReport, Bench.Outcome) {
        let terminal = Terminal()
        terminal.show("Asking \(target.name) about '\(model)'")
        defer { terminal.clear() }
        let options = loadOptions()
        let form = try form(target, lanes: loads.map { options.width($0) }.max() ?? 1)
        defer { target.close() }
        try target.prepare(form)
        var bench = Bench(
            target, options, batch: inputs.batch, steadiness: windows.steadiness, length: windows.length)
        bench.isInterrupted = { interrupts.check() }
        bench.progress = { terminal.show(Self.text($0)) }
        let outcome = bench.run(loads)
        let report = BenchReport(
            model: model, version: client.modelVersion ?? "", target: target.name, requests: words(form),
            results: outcome.results)
        return (report, outcome)
    }

    private static func text(_ progress: BenchProgress) -> String {
        var text =
            "\(progress.load.kind) \(progress.load.label), window \(progress.window)"
            + (progress.load.offeredRate == nil || progress.window <= progress.mostWindows
                ? " of at most \(progress.mostWindows)" : "")
        if let rate = progress.rate, let latency = progress.latency {
            text += ": \(Figures.short(rate)) requests/s, p99 \(Figures.milliseconds(Double(latency))) ms"
        }
        return text
    }

    // MARK: What the flags say

    private func loads() throws(HalcyonError) -> [Load] {
        if let arrivals {
            let text = String(decoding: try InputFile.read(arrivals), as: UTF8.self)
            return [.recorded(try ArrivalFile.parse(text, name: arrivals))]
        }
        if let requestRate {
            return try LoadSteps.parse(requestRate, flag: "--request-rate").map {
                .rate($0, requestDistribution == .poisson ? .poisson : .constant)
            }
        }
        return try LoadSteps.counts(concurrency ?? "1", flag: "--concurrency").map { .concurrency($0) }
    }

    private func target(_ server: InferenceServer?) throws(HalcyonError) -> any LoadTarget {
        let version = client.modelVersion ?? ""
        if let server { return InProcessTarget(server, model: model, version: Int64(version)) }
        return try NetworkTarget(
            try ServerAddress(parsing: client.url ?? "http://localhost:8000"), model: model, version: version,
            headers: try client.parsedHeaders(), tls: client.tls)
    }

    private func loadOptions() -> LoadOptions {
        var options = LoadOptions()
        options.mostUnderWay = maxUnderWay
        options.streamsPerConnection = streamsPerConnection
        options.threads = threads > 0 ? threads : max(1, min(8, Processors.count / 4))
        options.seed = inputs.seed
        return options
    }

    private func form(_ target: any LoadTarget, lanes: Int) throws(HalcyonError) -> RequestForm {
        let model = try target.describe()
        var form = RequestForm(model: model, data: try inputs.data(for: model), batch: inputs.batch)
        form.headers = try client.parsedHeaders()
        form.sequenceLength = sequenceLength ?? (model.hasSequences ? 20 : 0)
        form.isStreaming = streaming || model.isDecoupled
        if let server = target as? NetworkTarget {
            form.usesJSON = client.jsonTensors ? true : try !server.takesBinaryTensors()
            if form.isStreaming, !server.isGRPC {
                throw HalcyonError(
                    .unsupported,
                    "model '\(model.name)' gives several responses to a request, which go over gRPC: use --url "
                        + "grpc://HOST:PORT"
                )
            }
            if client.sharedMemory == .system {
                form.memory = try SharedTensors(form, outputSize: client.outputSharedMemorySize, lanes: lanes)
            }
        }
        return form
    }

    private func words(_ form: RequestForm) -> String {
        var words: [String] = []
        if local.repositories.isEmpty {
            let isGRPC = client.url?.hasPrefix("grpc") ?? false
            words.append(isGRPC ? "gRPC" : form.usesJSON ? "HTTP with JSON" : "HTTP with bytes")
            if form.memory != nil { words.append("tensors in shared memory") }
        }
        words.append("batch \(inputs.batch)")
        words.append(inputs.words)
        if form.sequenceLength > 0 { words.append("sequences of \(form.sequenceLength)") }
        if form.isStreaming { words.append("as streams") }
        return words.joined(separator: ", ")
    }
}

internal import ArgumentParser
internal import ConfigurationSearch
internal import Halcyon
internal import LoadGeneration
internal import ObjectStorage
internal import Tensors
internal import Threads

/// `halcyon tune`: finds out which configuration of a model is best on this machine.
struct TuneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune", abstract: "Finds the best configuration of a model on this machine.",
        discussion: """
            Runs the model in this process in one setting after the other, each in turns with its present \
            configuration, so that other work on the machine does not decide. What may change: instances, batching, \
            its delay and preferred sizes, the engine's threads and streams, and the precision, where the engine has \
            them. Not all are tried: the search goes on where it gets better. What comes of it is only proposed; \
            --write writes it into config.pbtxt, keeps the comments there, and leaves the old file beside it.

            With --grid it measures no load, but some requests at once, for numbers of instances without and with \
            batches.
            """)

    enum Aim: String, WordFlag {
        case throughput
        case latency
    }

    @Argument(help: "The model's name.")
    var model: String

    @Option(help: "What is to be as good as it can be: throughput or latency.")
    var objective = Aim.throughput

    @Option(
        name: .customLong("latency-p99"),
        help: ArgumentHelp("What 99 in 100 requests must keep: 50ms, for instance.", valueName: "time"))
    var latencyP99: TimeFlag?

    @Option(help: ArgumentHelp("How long it may take: 90s, 5m.", valueName: "time"))
    var budget = TimeFlag(seconds: 300)

    @Option(help: "Requests under way while it is measured: 16 by default, 1 for latency.")
    var concurrency: Int?

    @Option(
        name: .customLong("keep"),
        help: ArgumentHelp(
            "What stays as it is: batching, instances, delay, preferred, threads, streams or precision; may be given "
                + "several times.",
            valueName: "setting"))
    var kept: [String] = []

    @Option(help: ArgumentHelp("How long one turn lasts.", valueName: "time"))
    var window = TimeFlag(seconds: 1)

    @Flag(help: "Write what is found into the model's config.pbtxt.")
    var write = false

    @Option(help: ArgumentHelp("Also write a page.", valueName: "file.html"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "In place of a search: a table with these numbers of instances, without and with batches.",
            valueName: "list"))
    var grid: String?

    @Option(help: "With --grid: requests at once.")
    var requests = 6

    @OptionGroup(title: "Models") var local: LocalServerFlags
    @OptionGroup(title: "Requests") var inputs: InputFlags

    func validate() throws {
        if local.repositories.isEmpty {
            throw ValidationError("name the folder with the models: --model-repository FOLDER")
        }
        for name in kept where Axis(rawValue: name) == nil {
            throw ValidationError(
                "--keep takes \(Axis.allCases.map(\.rawValue).joined(separator: ", ")), got '\(name)'")
        }
        guard (1...4096).contains(concurrency ?? 1), (1...4096).contains(requests) else {
            throw ValidationError("--concurrency and --requests are numbers from 1 to 4096")
        }
        if write, let store = local.repositories.first(where: StoreLocation.isStore) {
            throw ValidationError(
                "--write changes a folder, and '\(store)' is a store: leave it out, and upload what is shown")
        }
        if grid != nil, write { throw ValidationError("--grid shows a table, and has nothing for --write") }
    }

    func run() async throws {
        let interrupts = InterruptFlag()
        let command = self
        do {
            try await WorkerThread.run(name: "command") { () -> Result<Void, HalcyonError> in
                Result { () throws(HalcyonError) in try command.work(interrupts) }
            }.get()
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
        if interrupts.check() { throw ExitCode(130) }
    }

    private func work(_ interrupts: InterruptFlag) throws(HalcyonError) {
        let terminal = Terminal()
        defer { terminal.clear() }
        terminal.show("Loading '\(model)'")
        var text = try ModelText(model, in: try StoreRepositories.folders(of: local.repositories))
        let base = try server(text)
        defer { base.stop() }
        let configuration = try base.loadPresent()
        guard configuration.ensemble == nil else {
            throw HalcyonError(
                .unsupported,
                "'\(model)' is an ensemble, which has no instances of its own: tune the models that it is made of")
        }
        text.present = Setting(configuration)
        text.engine = configuration.backend
        text.maxBatchSize = configuration.sequenceBatching == nil ? configuration.maxBatchSize : 0
        if let grid {
            return try showGrid(text, try LoadSteps.counts(grid, flag: "--grid"), terminal, interrupts)
        }
        let space = SearchSpace(
            around: text.present, maxBatchSize: text.maxBatchSize, processors: Processors.count, engine: text.engine,
            precisions: ProcessorPrecisions.here(), kept: Set(kept.compactMap { Axis(rawValue: $0) }))
        guard space.size > 1 else {
            throw HalcyonError(.invalidArgument, "there is nothing left to try: --keep keeps all that '\(model)' has")
        }
        let aim = Objective(
            objective == .throughput ? .throughput : .latency, limit: latencyP99.map { Double($0.nanoseconds) })
        let underWay = concurrency ?? (objective == .throughput ? 16 : 1)
        let length = WindowLength(interval: window.nanoseconds)
        let ready = text
        var tuner = Tuner(
            base: base, text: ready, objective: aim, budget: budget.nanoseconds,
            load: Tuner.LoadPlan(
                load: .concurrency(underWay), options: LoadOptions(), length: length, batch: inputs.batch)
        ) { () throws(HalcyonError) in try server(ready) }
        tuner.isInterrupted = { interrupts.check() }
        tuner.progress = { terminal.show($0) }
        let result = try tuner.run(space)
        terminal.clear()
        try show(result, ready, underWay)
    }

    private func server(_ text: ModelText) throws(HalcyonError) -> CandidateServer {
        let inputs = inputs
        return try CandidateServer(try local.options(), model: model, text: text) {
            (description: ModelDescription) throws(HalcyonError) in
            var form = RequestForm(
                model: description, data: try inputs.data(for: description), batch: inputs.batch)
            form.sequenceLength = description.hasSequences ? 20 : 0
            form.isStreaming = description.isDecoupled
            return form
        }
    }

    // MARK: What is shown

    private func show(_ result: TuneReport, _ text: ModelText, _ underWay: Int) throws(HalcyonError) {
        let headline =
            "Model '\(model)' (\(text.engine)), \(Processors.count) processors, \(underWay) requests under way, "
            + "batch \(inputs.batch), \(inputs.words)"
        let rows = result.rows(Figures.short)
        print(headline + "\n")
        print(TextTable(rows, leading: [0]).lines.joined(separator: "\n") + "\n")
        print(result.sentences(Figures.short).joined(separator: "\n"))
        var difference: [String] = []
        if let winner = result.winner {
            difference = LineDifference.lines(from: text.text, to: text.text(of: winner.setting))
            print("\n\(text.path):\n" + difference.joined(separator: "\n"))
            if write {
                let old = try text.write(winner.setting)
                print("\nWritten" + (old.map { "; the old file is \($0)" } ?? "") + ".")
            } else {
                print("\n--write writes it.")
            }
        } else if write {
            print("\nNothing was written.")
        }
        if let report {
            try OutputFile.write(TunePage.html(result, headline, difference), to: report)
            StandardError.write("The page is in \(report)\n")
        }
    }

    private func showGrid(
        _ text: ModelText, _ counts: [Int], _ terminal: Terminal, _ interrupts: InterruptFlag
    ) throws(HalcyonError) {
        let server = try server(text)
        defer { server.stop() }
        var rows: [GridRow] = []
        let batching = text.maxBatchSize > 1 ? [false, true] : [false]
        for batches in batching {
            for count in counts where !interrupts.check() {
                var setting = text.present
                setting.instances = count
                setting.batches = batches
                terminal.show("\(count) instances, batching \(batches ? "on" : "off")")
                try server.load(setting)
                rows.append(try GridRow.measure(server, setting, requests: requests))
            }
        }
        terminal.clear()
        print("\(requests) requests at once to '\(model)', median of \(GridRow.rounds) times; times in ms\n")
        print(TextTable([GridRow.titles] + rows.map(\.words)).lines.joined(separator: "\n"))
        if let report {
            try OutputFile.write(TunePage.html(rows, model: model, requests: requests), to: report)
            StandardError.write("The page is in \(report)\n")
        }
    }
}

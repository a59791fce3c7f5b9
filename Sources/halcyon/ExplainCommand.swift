internal import ArgumentParser
internal import Explain
internal import FlightRecords
internal import Glibc
internal import JSONText
internal import Tensors

/// `halcyon explain`: why a model's last batches had the sizes that they had, and what other settings would have made.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Shows why a model's last batches had the sizes that they had.",
        discussion: """
            Asks a running server for the batches that it has kept (--recorded-batches of halcyon serve), and draws \
            them: how many requests waited, what each instance executed and when, and why each batch was closed.

            --save keeps them in a file. --replay runs the requests of such a file through the scheduler again, each \
            at the time at which it came, with the measured times of batches; with --set under other settings. \
            Clients that wait for an answer before they ask again would come at other times then.
            """)

    @Argument(help: "The model's name; with --replay that of the recording, where it is given.")
    var model: String?

    @OptionGroup var server: RecordingSource

    @Option(help: "How many of the batches are shown.")
    var batches = 20

    @Option(
        help: ArgumentHelp(
            "Columns of the drawing; those of the terminal where it is not given.", valueName: "columns"))
    var width: Int?

    @Option(help: ArgumentHelp("Keep the recording in a file.", valueName: "file"))
    var save: String?

    @Option(help: ArgumentHelp("Run a recording's requests again.", valueName: "file"))
    var replay: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            """
            Another setting for --replay, dynamic_batching.max_queue_delay_microseconds=2000 for instance; several \
            times for several.
            """,
            valueName: "name=value"))
    var changes: [String] = []

    @Flag(help: "Draw the batches that --replay makes.")
    var draw = false

    func validate() throws {
        try FlagRange.check("batches", batches, 1...65536)
        try FlagRange.check("width", width ?? 80, 40...1000)
        if replay == nil {
            guard model != nil else { throw ValidationError("name the model: halcyon explain MODEL") }
            guard changes.isEmpty, !draw else {
                throw ValidationError("--set and --draw go with --replay FILE, the recording to run again")
            }
        } else if save != nil {
            throw ValidationError("--save keeps what a server has recorded, and does not go with --replay")
        }
    }

    func run() async throws {
        do {
            if let replay { try self.replay(replay) } else { try await explain(model ?? "") }
        } catch {
            StandardError.write("error: \(HalcyonError(wrapping: error).message)\n")
            throw ExitCode(1)
        }
    }

    // MARK: A server's batches

    private func explain(_ model: String) async throws {
        let recording = try await server.recording(of: model)
        guard recording.steps.isEmpty else { return try await explainSteps(of: recording) }
        if let save {
            try RecordingFile.write(recording, to: save)
            print("\(recording.batches.count) batches of \(recording.count) are in \(save)")
        } else {
            print(drawing(recording), terminator: "")
        }
    }

    /// An ensemble forms no batches; the models of its steps do.
    private func explainSteps(of ensemble: Recording) async throws {
        guard save == nil else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(ensemble.model)' is an ensemble, which forms no batches: save the recording of one of "
                    + "its steps, "
                    + ensemble.steps.map { "'\($0)'" }.joined(separator: ", "))
        }
        print("\(ensemble.steps.count) steps of ensemble '\(ensemble.model)' have batches of their own.")
        var seen: Set<String> = []
        for step in ensemble.steps where seen.insert(step).inserted {
            let recording = try await server.recording(of: step)
            print("\n" + drawing(recording), terminator: "")
        }
    }

    private func drawing(_ recording: Recording) -> String {
        Timeline(recording, count: batches, width: width ?? TerminalWidth.columns).text
    }

    // MARK: Replay

    private func replay(_ file: String) throws {
        let recording = try RecordingFile.read(file)
        if let model, model != recording.model {
            throw HalcyonError(
                .invalidArgument, "'\(file)' is a recording of model '\(recording.model)', not of '\(model)'")
        }
        let replay = try Replay(recording)
        var settings = recording.settings
        var instances = max(1, recording.instanceCount)
        for change in changes { try SettingChange(change).apply(to: &settings, instances: &instances) }
        let same = replay.run(recording.settings, instances: max(1, recording.instanceCount))
        var rows = [("recorded", replay.recorded), ("replayed as it was", same.outcome)]
        var drawn = same.recording
        if !changes.isEmpty {
            let changed = replay.run(settings, instances: instances)
            rows.append(("with " + changes.joined(separator: " "), changed.outcome))
            drawn = changed.recording
        }
        print(ReplayReport(rows).text, terminator: "")
        let share = Int((same.outcome.agreement * 100).rounded(.down))
        print("replayed as it was: \(share) % of the recorded batches are made again")
        if draw { print("\n" + drawing(drawn), terminator: "") }
    }
}

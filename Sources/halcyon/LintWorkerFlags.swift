internal import ArgumentParser

/// How `halcyon lint` calls itself for the models to be opened in another process.
struct LintWorkerFlags: ParsableArguments {
    @Flag(name: .customLong("lint-worker"), help: "Look at the models, and say what is found as lines of JSON.")
    var isWorker = false

    @Option(name: .customLong("lint-after"), help: "Look only at what comes behind this model.")
    var after: String?

    @Option(name: .customLong("lint-closed"), help: "A model that is not to be opened.")
    var closed: [String] = []
}

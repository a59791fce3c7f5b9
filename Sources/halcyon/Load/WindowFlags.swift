internal import ArgumentParser
internal import LoadGeneration

/// How long is measured.
struct WindowFlags: ParsableArguments {
    @Option(help: "How long one look lasts: 500ms, 2s, 1m.")
    var window = TimeFlag(seconds: 1)

    @Option(help: "How far three looks in a row may lie from their mean in throughput and latency, in percent.")
    var stability = 10.0

    @Option(help: "Looks at one load, after which it is left as it is.")
    var maxWindows = 10

    func validate() throws {
        guard stability > 0, stability <= 100 else {
            throw ValidationError("--stability is a percentage over 0, got \(stability)")
        }
        guard (3...100_000).contains(maxWindows) else {
            throw ValidationError("--max-windows is a number from 3, as three in a row must agree, got \(maxWindows)")
        }
    }

    var steadiness: Steadiness { Steadiness(tolerance: stability / 100, most: maxWindows) }
    var length: WindowLength { WindowLength(interval: window.nanoseconds) }
}

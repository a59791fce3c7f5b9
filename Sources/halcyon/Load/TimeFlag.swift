internal import ArgumentParser

/// A duration on the command line: `500ms`, `2s`, `5m`; a number alone is seconds.
struct TimeFlag: ExpressibleByArgument, Hashable, Sendable {
    var nanoseconds: UInt64

    init(seconds: UInt64) { nanoseconds = seconds * 1_000_000_000 }

    init?(argument: String) {
        let units: [(String, Double)] = [
            ("us", 1e3), ("ms", 1e6), ("min", 60e9), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
        ]
        var number = argument
        var factor = 1e9
        if let unit = units.first(where: { argument.hasSuffix($0.0) }) {
            number = String(argument.dropLast(unit.0.count))
            factor = unit.1
        }
        guard let value = Double(number), value > 0, let whole = UInt64(exactly: (value * factor).rounded()), whole > 0,
            whole <= 1 << 62
        else { return nil }
        nanoseconds = whole
    }

    var defaultValueDescription: String {
        nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000)s" : "\(nanoseconds / 1_000_000)ms"
    }
}

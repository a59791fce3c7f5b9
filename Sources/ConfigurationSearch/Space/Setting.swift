/// What a search may change of a model's configuration.
package struct Setting: Hashable, Sendable {
    /// Instances of all groups together.
    package var instances = 1
    package var batches = false
    /// Microseconds that a batch waits for more requests.
    package var delay: UInt64 = 0
    package var preferredSizes: [Int] = []
    /// Threads of an execution, and streams of the engine; `nil` for what the engine takes.
    package var threads: Int?
    package var streams: Int?
    /// In which numbers the engine computes; `nil` for what it takes.
    package var precision: String?

    package init() {}

    /// The same without what has no meaning where nothing is batched.
    package var canonical: Setting {
        var setting = self
        if !batches {
            setting.delay = 0
            setting.preferredSizes = []
        }
        return setting
    }
}

/// One thing that a search may change.
package enum Axis: String, Hashable, Sendable, CaseIterable {
    case batching
    case instances
    case delay
    case preferred
    case threads
    case streams
    case precision

    /// Whether its values are in an order along which cost rises or falls, so that not all need be tried.
    var isOrdered: Bool {
        switch self {
        case .instances, .delay, .threads, .streams: true
        case .batching, .preferred, .precision: false
        }
    }

    /// The value that a setting has, for people.
    package func text(_ setting: Setting) -> String {
        switch self {
        case .batching: setting.batches ? "on" : "off"
        case .instances: String(setting.instances)
        case .delay: setting.batches ? "\(setting.delay) µs" : "-"
        case .preferred:
            !setting.batches || setting.preferredSizes.isEmpty
                ? "-" : setting.preferredSizes.map { String($0) }.joined(separator: ",")
        case .threads: setting.threads.map { String($0) } ?? "auto"
        case .streams: setting.streams.map { String($0) } ?? "auto"
        case .precision: setting.precision ?? "auto"
        }
    }
}

extension Axis {
    /// A setting with this axis as another has it.
    package func copied(from source: Setting, to setting: Setting) -> Setting {
        var setting = setting
        switch self {
        case .batching: setting.batches = source.batches
        case .instances: setting.instances = source.instances
        case .delay: setting.delay = source.delay
        case .preferred: setting.preferredSizes = source.preferredSizes
        case .threads: setting.threads = source.threads
        case .streams: setting.streams = source.streams
        case .precision: setting.precision = source.precision
        }
        return setting
    }
}

package import FlightRecords
package import Tensors

/// One `--set NAME=VALUE` of a replay.
package struct SettingChange: Hashable, Sendable {
    private enum Name: String, CaseIterable {
        case maxBatchSize = "max_batch_size"
        case instances = "instance_group.count"
        case dynamicBatching = "dynamic_batching"
        case delay = "dynamic_batching.max_queue_delay_microseconds"
        case preferred = "dynamic_batching.preferred_batch_size"
        case ordering = "dynamic_batching.preserve_ordering"
        case budget = "parameters.latency_budget_microseconds"
        case eager = "optimization.eager_batching"
    }

    private let name: Name
    private let value: String

    /// - Throws: `invalidArgument` that names the settings that there are.
    package init(_ text: String) throws(HalcyonError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = Name(rawValue: String(parts[0])) else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw HalcyonError(
                .invalidArgument,
                "--set takes NAME=VALUE, with a name out of \(known); got '\(text.shortened(to: 100))'")
        }
        self.name = name
        value = String(parts[1])
    }

    /// - Throws: `invalidArgument` for a value that the setting does not take.
    package func apply(to settings: inout Recording.Settings, instances: inout Int) throws(HalcyonError) {
        switch name {
        case .maxBatchSize: settings.maxBatchSize = try number(0...65536)
        case .instances: instances = try number(1...1024)
        case .dynamicBatching:
            settings.isDynamic = try flag()
        case .delay:
            settings.maxQueueDelayMicroseconds = UInt64(try number(0...Int(Int32.max)))
            settings.isDynamic = true
        case .preferred:
            settings.preferredBatchSizes = try numbers()
            settings.isDynamic = true
        case .ordering:
            settings.preservesOrdering = try flag()
            settings.isDynamic = true
        case .budget:
            settings.latencyBudgetMicroseconds = UInt64(try number(0...Int(Int32.max)))
            settings.isDynamic = true
        case .eager: settings.formsEagerly = try flag()
        }
        let largest = settings.preferredBatchSizes.max() ?? 0
        guard settings.maxBatchSize == 0 || largest <= settings.maxBatchSize else {
            throw HalcyonError(
                .invalidArgument,
                "preferred_batch_size \(largest) is over max_batch_size \(settings.maxBatchSize): set both")
        }
    }

    private func complaint(_ expected: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "--set \(name.rawValue) takes \(expected), got '\(value.shortened(to: 100))'")
    }

    private func number(_ range: ClosedRange<Int>) throws(HalcyonError) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw complaint("a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func numbers() throws(HalcyonError) -> [Int] {
        try value.split(separator: ",").map { part throws(HalcyonError) in
            guard let number = Int(part), (1...65536).contains(number) else {
                throw complaint("sizes from 1, as 4,8; or nothing for none")
            }
            return number
        }
    }

    private func flag() throws(HalcyonError) -> Bool {
        switch value.lowercased() {
        case "true", "on", "1": return true
        case "false", "off", "0": return false
        default: throw complaint("true or false")
        }
    }
}

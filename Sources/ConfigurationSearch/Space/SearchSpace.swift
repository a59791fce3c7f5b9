/// The settings that a search may choose from: for each axis some values.
package struct SearchSpace: Hashable, Sendable {
    package var instances: [Int]
    package var batches: [Bool]
    package var delays: [UInt64]
    package var preferredSizes: [[Int]]
    package var threads: [Int?]
    package var streams: [Int?]
    package var precisions: [String?]

    /// Nothing but one setting.
    package init(_ setting: Setting) {
        instances = [setting.instances]
        batches = [setting.batches]
        delays = [setting.delay]
        preferredSizes = [setting.preferredSizes]
        threads = [setting.threads]
        streams = [setting.streams]
        precisions = [setting.precision]
    }

    /// What is worth trying for a model.
    ///
    /// - Parameters:
    ///   - present: is among the values.
    ///   - maxBatchSize: the model's; below 2 there is nothing to batch.
    ///   - processors: that the server may use.
    ///   - engine: by its name, which says what it can be told.
    ///   - precisions: in which numbers the processor computes quickly.
    ///   - kept: axes that stay as they are.
    package init(
        around present: Setting, maxBatchSize: Int, processors: Int, engine: String, precisions: [String],
        kept: Set<Axis> = []
    ) {
        self.init(present)
        if !kept.contains(.instances) {
            let most = max(4, 2 * processors)
            instances = Self.merged(
                present.instances, [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter { $0 <= most })
        }
        if maxBatchSize > 1 {
            if !kept.contains(.batching) { batches = [false, true] }
            if !kept.contains(.delay) {
                delays = Self.merged(present.delay, [0, 100, 500, 1000, 2000, 5000, 10_000])
            }
            if !kept.contains(.preferred) {
                preferredSizes = maxBatchSize > 3 ? [[], [maxBatchSize / 2]] : [[]]
                if !preferredSizes.contains(present.preferredSizes) { preferredSizes.append(present.preferredSizes) }
            }
        }
        let counts = [1, 2, 4, 8, 16, 32, 64].filter { $0 < processors } + [processors]
        if ["openvino", "onnxruntime"].contains(engine), !kept.contains(.threads) {
            threads = [nil] + Self.merged(present.threads ?? 1, counts)
        }
        guard engine == "openvino" else { return }
        if !kept.contains(.streams) { streams = [nil] + Self.merged(present.streams ?? 1, counts) }
        if !kept.contains(.precision), precisions.count > 1 {
            self.precisions = [nil] + precisions
            if let own = present.precision, !precisions.contains(own) { self.precisions.append(own) }
        }
    }

    private static func merged<Value: Hashable & Comparable>(_ own: Value, _ values: [Value]) -> [Value] {
        Set(values + [own]).sorted()
    }

    /// How many values an axis has.
    package func count(_ axis: Axis) -> Int {
        switch axis {
        case .batching: batches.count
        case .instances: instances.count
        case .delay: delays.count
        case .preferred: preferredSizes.count
        case .threads: threads.count
        case .streams: streams.count
        case .precision: precisions.count
        }
    }

    /// A setting with another value of an axis.
    func setting(_ setting: Setting, _ axis: Axis, at index: Int) -> Setting {
        var setting = setting
        switch axis {
        case .batching: setting.batches = batches[index]
        case .instances: setting.instances = instances[index]
        case .delay: setting.delay = delays[index]
        case .preferred: setting.preferredSizes = preferredSizes[index]
        case .threads: setting.threads = threads[index]
        case .streams: setting.streams = streams[index]
        case .precision: setting.precision = precisions[index]
        }
        return setting
    }

    /// Where on an axis a setting is.
    func index(_ setting: Setting, _ axis: Axis) -> Int {
        let index: Int? =
            switch axis {
            case .batching: batches.firstIndex(of: setting.batches)
            case .instances: instances.firstIndex(of: setting.instances)
            case .delay: delays.firstIndex(of: setting.delay)
            case .preferred: preferredSizes.firstIndex(of: setting.preferredSizes)
            case .threads: threads.firstIndex(of: setting.threads)
            case .streams: streams.firstIndex(of: setting.streams)
            case .precision: precisions.firstIndex(of: setting.precision)
            }
        return index ?? 0
    }

    /// Every setting once, those that mean the same only once.
    package var all: [Setting] {
        var settings = [Setting()]
        for axis in Axis.allCases {
            settings = settings.flatMap { setting in
                (0..<count(axis)).map { self.setting(setting, axis, at: $0) }
            }
        }
        var seen = Set<Setting>()
        return settings.filter { seen.insert($0.canonical).inserted }
    }

    /// How many settings there are.
    package var size: Int {
        let rest = [Axis.instances, .threads, .streams, .precision].reduce(1) { $0 * count($1) }
        return rest * batches.reduce(0) { $0 + ($1 ? delays.count * preferredSizes.count : 1) }
    }
}

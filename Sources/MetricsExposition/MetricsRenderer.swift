internal import CUDADriver
internal import ModelRuntime
internal import Scheduling

/// Writes metrics as Prometheus reads them: Triton's families, by its names, labels and units, and behind them
/// Halcyon's own, whose names begin with `halcyon_`.
package struct MetricsRenderer: Sendable {
    /// The media type of the text.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package var configuration: MetricsConfiguration

    package init(_ configuration: MetricsConfiguration = MetricsConfiguration()) {
        self.configuration = configuration
    }

    /// The whole page, ending with a line break.
    package func text(_ snapshot: MetricsSnapshot) -> String {
        let statistics = snapshot.statistics.map {
            (MetricLabels(model: $0.name, version: $0.version, tags: $0.tags), $0)
        }
        var page = MetricsPage()
        write(Self.success, statistics, to: &page)
        writeReasons(of: Self.failure, FailureReason.allCases, statistics, to: &page) { $0.failures[$1] ?? 0 }
        for counter in Self.counts { write(counter, statistics, to: &page) }
        if configuration.counterLatencies {
            for counter in Self.durations { write(counter, statistics, to: &page) }
        }
        page.heading(Self.inputBytes)
        if configuration.histogramLatencies { writeFirstResponses(statistics, to: &page) }
        if configuration.summaryLatencies {
            for summary in Self.summaries(withCache: snapshot.cache != nil) { write(summary, statistics, to: &page) }
        }
        write(Self.gauges, snapshot, to: &page)
        if let cache = snapshot.cache { write(cache, statistics, to: &page) }
        // Triton's dashboards know the names, and there is no such pool without a GPU.
        for gauge in Self.pinnedPool {
            page.heading(gauge.family)
            if let pool = snapshot.pinnedPool { page.sample(gauge.family.name, "", gauge.value(pool)) }
        }
        write(snapshot.gpus, to: &page)
        if let machine = snapshot.machine { write(machine, to: &page) }
        for distribution in Self.distributions { write(distribution, statistics, to: &page) }
        writeReasons(of: Self.batchReason, BatchReason.allCases, statistics, to: &page) { $0.batchReasons[$1] ?? 0 }
        writeReasons(of: Self.rejected, RejectionReason.allCases, statistics, to: &page) { $0.rejections[$1] ?? 0 }
        write(Self.instances, snapshot, to: &page)
        writeRestarts(snapshot, to: &page)
        if let connections = snapshot.connections { write(connections, to: &page) }
        for family in snapshot.custom { page.write(family) }
        return page.text
    }

    private typealias Labelled = (labels: MetricLabels, statistics: ModelStatistics)

    private func write(_ counter: Counter, _ models: [Labelled], to page: inout MetricsPage) {
        page.heading(counter.family)
        for model in models {
            page.sample(counter.family.name, model.labels.text(), counter.value(model.statistics))
        }
    }

    /// One sample a reason, also for one that did not occur: a rate needs to have seen the 0.
    private func writeReasons<Reason: RawRepresentable<String>>(
        of family: MetricFamily, _ reasons: [Reason], _ models: [Labelled], to page: inout MetricsPage,
        count: (ModelStatistics, Reason) -> UInt64
    ) {
        page.heading(family)
        for model in models {
            for reason in reasons {
                let labels = model.labels.text(reason: reason.rawValue)
                page.sample(family.name, labels, count(model.statistics, reason))
            }
        }
    }

    private func write(_ distribution: Distribution, _ models: [Labelled], to page: inout MetricsPage) {
        page.heading(distribution.family)
        for model in models {
            page.samples(
                of: distribution.family, model.labels, distribution.value(model.statistics), unit: distribution.unit)
        }
    }

    private func writeFirstResponses(_ models: [Labelled], to page: inout MetricsPage) {
        page.heading(Self.firstResponse)
        for model in models {
            let latencies = model.statistics.latencies
            page.samples(
                of: Self.firstResponse, model.labels, latencies.firstResponse, unit: 1_000_000,
                bounds: latencies.firstResponseBounds)
        }
    }

    private func write(_ summary: Summary, _ models: [Labelled], to page: inout MetricsPage) {
        page.heading(summary.family)
        for model in models {
            guard let quantiles = model.statistics.quantiles else { continue }
            page.samples(
                of: summary.family, model.labels, summary.total(model.statistics), quantiles.quantiles,
                quantiles.values[summary.stage] ?? [])
        }
    }

    private func write(_ gauges: [Gauge], _ snapshot: MetricsSnapshot, to page: inout MetricsPage) {
        for gauge in gauges {
            page.heading(gauge.family)
            for model in snapshot.gauges {
                let labels = MetricLabels(model: model.name, version: model.version, tags: model.tags)
                page.sample(gauge.family.name, labels.text(), gauge.value(model))
            }
        }
    }

    /// One sample a cause, of the models that have workers.
    private func writeRestarts(_ snapshot: MetricsSnapshot, to page: inout MetricsPage) {
        guard snapshot.gauges.contains(where: { !$0.restarts.isEmpty }) else { return }
        page.heading(Self.restarts)
        for model in snapshot.gauges {
            let labels = MetricLabels(model: model.name, version: model.version, tags: model.tags)
            for (cause, count) in model.restarts.sorted(by: { $0.key < $1.key }) {
                page.sample(Self.restarts.name, labels.text(cause: cause), count)
            }
        }
    }

    private func write(_ cache: CacheUsage, _ models: [Labelled], to page: inout MetricsPage) {
        for counter in Self.cacheCounters { write(counter, models, to: &page) }
        for gauge in Self.cacheGauges {
            page.heading(gauge.family)
            page.sample(gauge.family.name, "", gauge.value(cache))
        }
    }

    private func write(_ gpus: [GPUUsage], to page: inout MetricsPage) {
        guard !gpus.isEmpty else { return }
        for gauge in Self.gpuGauges {
            page.heading(gauge.family)
            for gpu in gpus {
                guard let value = gauge.value(gpu) else { continue }
                page.sample(gauge.family.name, "{gpu_uuid=\"\(MetricLabels.escaped(gpu.uuid))\"}", value)
            }
        }
    }

    private func write(_ machine: MachineUsage, to page: inout MetricsPage) {
        page.heading(Self.cpuUtilization)
        page.sample(Self.cpuUtilization.name, "", machine.cpuUtilization)
        page.heading(Self.memoryTotal)
        page.sample(Self.memoryTotal.name, "", machine.memoryTotalBytes)
        page.heading(Self.memoryUsed)
        page.sample(Self.memoryUsed.name, "", machine.memoryUsedBytes)
    }
}

internal import CUDADriver
internal import Halcyon
internal import MetricsExposition
internal import Tensors
internal import Threads

/// The metrics of a server, as text for Prometheus. What is measured of the machine is measured when it is asked for,
/// and not more often than the interval says.
final class ProgramMetrics: Sendable {
    private struct Measured {
        var time: UInt64 = 0
        var machine: MachineUsage?
        var gpus: [GPUUsage] = []
    }

    private let renderer: MetricsRenderer
    private let machine: MachineUsageMeter?
    private let gpus: GPUMeter?
    private let interval: UInt64
    private let clock = SystemClock()
    private let measured = Locked<Measured?>(nil)

    init(_ settings: ServerSettings.Metrics = ServerSettings.Metrics()) throws(HalcyonError) {
        renderer = MetricsRenderer(try MetricsConfiguration(settings: settings.configuration))
        machine = settings.showsMachine ? MachineUsageMeter() : nil
        gpus = settings.showsGPUs ? try? GPUMeter.open() : nil
        interval = min(settings.intervalMilliseconds, 1_000_000_000) * 1_000_000
    }

    func text(of server: InferenceServer) -> String {
        let measured = measure()
        var snapshot = MetricsSnapshot(of: server, machine: measured.machine)
        snapshot.gpus = measured.gpus
        return renderer.text(snapshot)
    }

    private func measure() -> Measured {
        measured.withLock { known in
            let now = clock.now()
            if let known, now &- known.time < interval { return known }
            let fresh = Measured(time: now, machine: machine?.sample(), gpus: gpus?.sample() ?? [])
            known = fresh
            return fresh
        }
    }
}

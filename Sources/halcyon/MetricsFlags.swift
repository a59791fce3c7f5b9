internal import ArgumentParser

struct MetricsFlags: ParsableArguments {
    @Option(help: "Whether to listen for Prometheus.")
    var allowMetrics = Switch(true)

    @Option(help: "Whether to show the use of processor and memory.")
    var allowCpuMetrics = Switch(true)

    @Option(help: "Whether to show the use of GPUs, where there are any.")
    var allowGpuMetrics = Switch(true)

    @Option(
        help: ArgumentHelp(
            """
            The address to listen on; that of HTTP where it is not given, or loopback where that is a Unix domain \
            socket.
            """,
            valueName: "address"))
    var metricsAddress: String?

    @Option(help: "The port; 0 lets the system choose one.")
    var metricsPort = 8002

    @Option(
        help: "How often the use of processor, memory and GPUs is measured, in milliseconds; at least 100.")
    var metricsIntervalMs = 2000.0

    @Option(
        name: .customLong("metrics-config"),
        help: ArgumentHelp(
            """
            A setting of the metrics: counter_latencies, histogram_latencies or summary_latencies, each true or \
            false; or summary_quantiles=0.5:0.05,0.99:0.001, each a quantile and by how much its rank may be off. May \
            be given several times.
            """, valueName: "setting=value"))
    var metricsConfig: [String] = []
}

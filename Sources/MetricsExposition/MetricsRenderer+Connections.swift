internal import Transport

extension MetricsRenderer {
    private static let open = MetricFamily(.gauge, "halcyon_connections", "Connections that are open, of all ports.")
    private static let refused = MetricFamily(
        .counter, "halcyon_connections_refused_total",
        "Connections that were closed as they came, as there were too many or no descriptors for them.")
    private static let pauses = MetricFamily(
        .counter, "halcyon_accept_pauses_total", "Rests of accepting connections, as there were no descriptors.")

    func write(_ connections: ConnectionCounters, to page: inout MetricsPage) {
        page.heading(Self.open)
        page.sample(Self.open.name, "", Double(connections.openCount))
        page.heading(Self.refused)
        page.sample(Self.refused.name, "", connections.refusedCount)
        page.heading(Self.pauses)
        page.sample(Self.pauses.name, "", connections.pauseCount)
    }
}

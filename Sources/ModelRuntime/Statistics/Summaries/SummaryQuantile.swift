/// A quantile that summaries of latencies show.
public struct SummaryQuantile: Hashable, Sendable {
    /// From 0 to 1: 0.99 for the time within which 99 of 100 requests were done.
    public var quantile: Double
    /// By how much the rank of what is shown may differ from it, as a share of all: more is less memory and work.
    public var error: Double

    /// A quantile and by how much its rank may be wrong, both from 0 to 1.
    public init(_ quantile: Double, error: Double) {
        self.quantile = quantile
        self.error = error
    }

    /// Triton's.
    public static let standard = [
        SummaryQuantile(0.5, error: 0.05), SummaryQuantile(0.9, error: 0.01), SummaryQuantile(0.95, error: 0.001),
        SummaryQuantile(0.99, error: 0.001), SummaryQuantile(0.999, error: 0.001),
    ]
}

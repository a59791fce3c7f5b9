/// How far a measurement has come.
package struct BenchProgress: Sendable {
    package var load: Load
    /// From 1.
    package var window: Int
    package var mostWindows: Int
    /// Of the windows that are over.
    package var rate: Double?
    /// 99th percentile, in nanoseconds.
    package var latency: UInt64?
}

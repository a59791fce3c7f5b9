/// How full the response cache is.
public struct CacheUsage: Hashable, Sendable {
    /// The number of entries.
    public var entries: Int
    /// Bytes of all entries.
    public var byteCount: Int
    /// The most bytes that all entries may have.
    public var byteLimit: Int
    /// Entries that made room for others.
    public var evictions: UInt64

    /// A state of the cache.
    public init(entries: Int, byteCount: Int, byteLimit: Int, evictions: UInt64) {
        self.entries = entries
        self.byteCount = byteCount
        self.byteLimit = byteLimit
        self.evictions = evictions
    }
}

/// How full the response cache is.
public struct CacheUsage: Hashable, Sendable {
    public var entries: Int
    /// Bytes of all entries.
    public var byteCount: Int
    public var byteLimit: Int
    /// Entries that made room for others.
    public var evictions: UInt64

    public init(entries: Int, byteCount: Int, byteLimit: Int, evictions: UInt64) {
        self.entries = entries
        self.byteCount = byteCount
        self.byteLimit = byteLimit
        self.evictions = evictions
    }
}

/// How far copying is, and when to say so.
struct CopyProgress: Sendable {
    /// Nanoseconds between two lines.
    static let interval: UInt64 = 5_000_000_000

    private(set) var files = (done: 0, all: 0)
    private(set) var bytes = (done: Int64(0), all: Int64(0))
    private var start: UInt64
    private var lastLine: UInt64

    init(now: UInt64) {
        start = now
        lastLine = now
    }

    mutating func expect(files: Int, bytes: Int64) {
        self.files.all += files
        self.bytes.all &+= bytes
    }

    mutating func finishFile() { files.done += 1 }

    /// - Returns: what to say now, where it is time.
    mutating func add(_ bytes: Int64, now: UInt64) -> String? {
        self.bytes.done &+= bytes
        guard now >= lastLine, now - lastLine >= Self.interval else { return nil }
        lastLine = now
        return text(now: now)
    }

    func text(now: UInt64) -> String {
        let seconds = max(0.001, Double(now - min(now, start)) / 1e9)
        let rate = Double(bytes.done) / seconds / 1e6
        return "\(files.done) of \(files.all) files, \(Self.megabytes(bytes.done)) of \(Self.megabytes(bytes.all)) MB, "
            + "\(Self.tenths(rate)) MB/s"
    }

    private static func megabytes(_ bytes: Int64) -> String { tenths(Double(bytes) / 1e6) }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int64((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

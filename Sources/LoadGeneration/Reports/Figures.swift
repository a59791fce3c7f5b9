private import Glibc

/// Numbers as people read them.
package enum Figures {
    /// At most three significant digits below a thousand, and whole above; without zeros that say nothing.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let size = abs(value)
        let digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
        var text = fixed(value, digits)
        if text.contains(".") {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text == "-0" ? "0" : text
    }

    /// A duration in milliseconds, with as many digits as mean something.
    package static func milliseconds(_ nanoseconds: Double) -> String {
        guard nanoseconds.isFinite else { return "-" }
        let value = nanoseconds / 1e6
        return fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)
    }

    package static func fixed(_ value: Double, _ digits: Int) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            _ = withVaList([Int32(clamping: digits), value]) { vsnprintf(start, buffer.count, "%.*f", $0) }
            return String(cString: start)
        }
    }
}

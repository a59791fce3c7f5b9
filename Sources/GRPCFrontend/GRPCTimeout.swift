/// The value of the header `grpc-timeout`: up to eight digits and a unit.
enum GRPCTimeout {
    /// Nanoseconds, or `nil` for what is no timeout.
    static func nanoseconds(_ text: String) -> Int64? {
        guard let unit = text.last, (2...9).contains(text.utf8.count),
            text.utf8.dropLast().allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text.dropLast())
        else { return nil }
        let scale: Int64
        switch unit {
        case "n": scale = 1
        case "u": scale = 1000
        case "m": scale = 1_000_000
        case "S": scale = 1_000_000_000
        case "M": scale = 60_000_000_000
        case "H": scale = 3_600_000_000_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: scale)
        return overflow ? .max : product
    }
}

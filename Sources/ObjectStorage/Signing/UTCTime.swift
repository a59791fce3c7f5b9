/// A second of the time of day in UTC, and the forms in which stores write it.
struct UTCTime: Hashable, Comparable, Sendable {
    /// Since 1970.
    var seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    /// When what was given out now ends.
    ///
    /// - Parameter lifetime: seconds, as somebody else says, who may say any number; `nil` for an hour.
    init(now: UTCTime, lifetime: Int64?) {
        seconds = now.seconds + min(max(0, lifetime ?? 3600), 1_000_000)
    }

    /// Whether it comes within five minutes, or has been.
    func isSoon(after now: UTCTime) -> Bool { seconds <= now.seconds + 300 }

    static func < (left: UTCTime, right: UTCTime) -> Bool { left.seconds < right.seconds }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The day since 1970, rounded down.
    private var day: Int64 { seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400 }

    /// Year, month and day, by counting in eras of 400 years that begin in March.
    private var date: (year: Int64, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    private init?(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        seconds = (era * 146_097 + dayOfEra - 719_468) * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    /// Hour, minute and second.
    private var time: (Int64, Int64, Int64) {
        let second = seconds - day * 86400
        return (second / 3600, second / 60 % 60, second % 60)
    }

    /// `20130524`.
    var compactDay: String {
        let (year, month, day) = date
        return Self.digits(year, 4) + Self.digits(Int64(month), 2) + Self.digits(Int64(day), 2)
    }

    /// `20130524T000000Z`.
    var compact: String {
        let (hour, minute, second) = time
        return "\(compactDay)T\(Self.digits(hour, 2))\(Self.digits(minute, 2))\(Self.digits(second, 2))Z"
    }

    /// `Fri, 24 May 2013 00:00:00 GMT`.
    var header: String {
        let (year, month, day) = date
        let (hour, minute, second) = time
        let weekday = Self.weekdays[Int(((self.day % 7) + 7) % 7)]
        return "\(weekday), \(Self.digits(Int64(day), 2)) \(Self.months[month - 1]) \(Self.digits(year, 4)) "
            + "\(Self.digits(hour, 2)):\(Self.digits(minute, 2)):\(Self.digits(second, 2)) GMT"
    }

    /// Reads what ``header`` writes.
    init?(header text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, let month = Self.months.firstIndex(of: String(parts[2])) else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard let day = Int64(parts[1]), let year = Int64(parts[3]), clock.count == 3 else { return nil }
        self.init(year: year, month: Int64(month + 1), day: day, hour: clock[0], minute: clock[1], second: clock[2])
    }

    /// Reads `2013-05-24T00:00:00Z`, with a fraction of a second that does not count.
    init?(iso text: String) {
        let halves = text.split(separator: "T")
        guard halves.count == 2, let clockText = halves[1].split(whereSeparator: { "Z+.".contains($0) }).first else {
            return nil
        }
        let day = halves[0].split(separator: "-").compactMap { Int64($0) }
        let clock = clockText.split(separator: ":").compactMap { Int64($0) }
        guard day.count == 3, clock.count == 3 else { return nil }
        self.init(year: day[0], month: day[1], day: day[2], hour: clock[0], minute: clock[1], second: clock[2])
    }
}

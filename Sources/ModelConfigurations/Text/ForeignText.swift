/// Files that are no configuration in text form at all: better said once than for each of their words.
enum ForeignText {
    /// - Returns: what it is, and what to do; `nil` for what may be a configuration.
    static func complaint(_ bytes: [UInt8]) -> (message: String, advice: String)? {
        let start = bytes.prefix(512).drop { $0 <= 0x20 }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return ("the file is UTF-16, and UTF-8 is expected", "save it as UTF-8 without a byte order mark")
        }
        if bytes.prefix(512).contains(0) {
            return ("the file is no text", "config.pbtxt holds protobuf's text format, as name: \"m\"")
        }
        let unmarked = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3).drop { $0 <= 0x20 } : start
        let text = String(decoding: unmarked, as: UTF8.self)
        if text.first == "{" {
            return (
                "this is JSON, and config.pbtxt holds protobuf's text format",
                "halcyon config --file FILE --format pbtxt writes the one from the other"
            )
        }
        if text.hasPrefix("version https://git-lfs") {
            return (
                "this is a pointer of Git LFS, and the file itself was not fetched",
                "run git lfs pull in the repository"
            )
        }
        if text.hasPrefix("<") {
            return ("this is a web page or XML", "it may be what a download that failed has left: fetch the file anew")
        }
        return nil
    }
}

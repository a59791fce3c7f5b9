private import Foundation

/// What people read: standard output, or standard error where that belongs to the JSON. Each line is out at once, also
/// where standard output is a pipe.
struct Output: Sendable {
    let isJSON: Bool

    func say(_ line: String) {
        if isJSON {
            StandardError.write(line + "\n")
        } else {
            try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
        }
    }
}

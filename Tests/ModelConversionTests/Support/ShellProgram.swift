import Foundation

/// A program that a test writes.
enum ShellProgram {
    /// Makes the script a program.
    ///
    /// The file that is to run is written by a process of its own: a descriptor of this one may be passed on for a moment to
    /// whatever another test starts at the same time, and the system runs nothing that somebody may still write to.
    static func write(_ script: String, to path: String) throws {
        let text = "\(path).text"
        try Data(script.utf8).write(to: URL(fileURLWithPath: text))
        defer { try? FileManager.default.removeItem(atPath: text) }
        let copy = Process()
        copy.executableURL = URL(fileURLWithPath: "/bin/sh")
        copy.arguments = ["-c", "rm -f \"$2\" && cp \"$1\" \"$2\" && chmod 755 \"$2\"", "sh", text, path]
        try copy.run()
        copy.waitUntilExit()
        guard copy.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}

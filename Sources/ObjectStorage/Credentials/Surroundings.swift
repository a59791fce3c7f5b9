internal import Glibc

/// What of the process and the machine says how to talk to stores: a value, so that tests can make it up.
package struct Surroundings: Sendable {
    /// The environment's variables.
    package var environment: [String: String]
    /// A file's bytes; `nil` where there is none that can be read, or it is large.
    package var read: @Sendable (_ path: String) -> [UInt8]?

    package init(environment: [String: String], read: @escaping @Sendable (_ path: String) -> [UInt8]?) {
        self.environment = environment
        self.read = read
    }

    /// With the files that there are.
    package init(environment: [String: String]) {
        self.init(environment: environment) { SmallFile.read($0, most: 1 << 20) }
    }

    /// A variable; `nil` where it is empty too.
    subscript(name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A file's text without space around it.
    func text(_ path: String) -> String? {
        guard let bytes = read(path), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let trimmed = text.drop(while: \.isWhitespace)
        return trimmed.lastIndex { !$0.isWhitespace }.map { String(trimmed[...$0]) }
    }

    /// A path with the home folder in place of `~`.
    func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = self["HOME"] else { return path }
        return home + path.dropFirst()
    }
}

/// Small files, read whole.
enum SmallFile {
    static func read(_ path: String, most: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while bytes.count <= most {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
        return nil
    }
}

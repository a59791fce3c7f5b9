private import CPlatform
private import Glibc
internal import Tensors

/// A repository with one model, made of files that a request brought, in a folder that only this user may enter. It goes
/// with the value.
package final class PrivateRepository: Sendable {
    let path: String

    /// - Throws: `invalidArgument` for a path that leads out of the model's folder; `internal` where the file system
    ///   refuses.
    init(model: ModelName, files: [String: Buffer]) throws(HalcyonError) {
        let parent = P_tmpdir
        var template = Array("\(parent)/halcyon-model-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw Self.failure(parent) }
        path = made
        let root = "\(path)/\(model)"
        do {
            try Self.makeFolder(root)
            for (name, content) in files.sorted(by: { $0.key < $1.key }) {
                try Self.write(content, to: name, in: root)
            }
        } catch {
            Self.remove(path)
            throw error
        }
    }

    deinit { Self.remove(path) }

    private static func write(_ content: Buffer, to name: String, in root: String) throws(HalcyonError) {
        var folder = root
        let parts = name.split(separator: "/")
        for part in parts.dropLast() {
            folder += "/\(part)"
            try makeFolder(folder)
        }
        let path = "\(root)/\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        let isComplete = content.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isComplete else { throw failure(path) }
    }

    private static func makeFolder(_ path: String) throws(HalcyonError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
    }

    private static func failure(_ path: String) -> HalcyonError {
        HalcyonError(.internal, "'\(path)' can't be written: \(String(cString: strerror(errno)))")
    }

    /// Removes a folder with all that is in it, without following links.
    private static func remove(_ path: String) {
        _ = halcyon_remove_tree(path)
    }
}

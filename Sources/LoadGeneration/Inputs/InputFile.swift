private import Glibc
package import Tensors

/// A file that somebody names on the command line.
package enum InputFile {
    /// Bytes that are read of one.
    private static let limit = 1 << 30

    /// - Throws: `invalidArgument` for a file that can't be read.
    package static func read(_ path: String) throws(HalcyonError) -> [UInt8] {
        func fault() -> HalcyonError {
            HalcyonError(
                .invalidArgument, "the file '\(path)' can't be read: \(String(cString: strerror(errno)))")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw fault() }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= limit else {
                throw HalcyonError(
                    .invalidArgument, "the file '\(path)' has over \(limit >> 20) MB, the limit for inputs")
            }
        }
    }
}

internal import Glibc
internal import Tensors

/// A file that a command writes: whole, or not at all.
enum OutputFile {
    /// - Throws: `unavailable` where it can't be written.
    static func write(_ text: String, to path: String) throws(HalcyonError) {
        let temporary = "\(path).partial"
        func fault() -> HalcyonError {
            HalcyonError(.unavailable, "the file '\(path)' can't be written: \(String(cString: strerror(errno)))")
        }
        guard let file = fopen(temporary, "w") else { throw fault() }
        var text = text
        let count = text.utf8.count
        let written = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
        guard fclose(file) == 0, written == count, rename(temporary, path) == 0 else {
            let failure = fault()
            unlink(temporary)
            throw failure
        }
    }
}

internal import FlightRecords
internal import Glibc
internal import JSONText
internal import Tensors

/// A recording in a file, as `halcyon explain --save` writes it.
enum RecordingFile {
    /// Bytes that are read at most.
    private static let limit = 1 << 30

    static func write(_ recording: Recording, to path: String) throws(HalcyonError) {
        guard let file = fopen(path, "w") else { throw complaint("written", path) }
        let bytes = Array((recording.jsonValue.compact + "\n").utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw complaint("written", path) }
    }

    static func read(_ path: String) throws(HalcyonError) -> Recording {
        guard let file = fopen(path, "r") else { throw complaint("read", path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= limit else {
                throw HalcyonError(.invalidArgument, "'\(path)' is longer than any recording, \(limit) bytes")
            }
        }
        guard ferror(file) == 0 else { throw complaint("read", path) }
        do {
            return try Recording(text: bytes)
        } catch {
            throw error.prefixed("'\(path)': ")
        }
    }

    private static func complaint(_ what: String, _ path: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the recording '\(path)' can't be \(what): \(String(cString: strerror(errno)))")
    }
}

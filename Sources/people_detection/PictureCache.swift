private import Foundation
internal import Tensors
internal import Vision

/// Decodes each picture once: threads that use the same one wait for the first of them.
final class PictureCache: @unchecked Sendable {
    private final class Entry: @unchecked Sendable {
        let lock = NSLock()
        var result: Result<Picture, HalcyonError>?
    }

    private let lock = NSLock()
    private var entries: [String: Entry] = [:]

    func picture(_ path: String) throws(HalcyonError) -> Picture {
        let entry = lock.withLock {
            let entry = entries[path] ?? Entry()
            entries[path] = entry
            return entry
        }
        let result = entry.lock.withLock {
            let result = entry.result ?? Result { () throws(HalcyonError) in try PictureDecoder.read(path) }
            entry.result = result
            return result
        }
        return try result.get()
    }
}

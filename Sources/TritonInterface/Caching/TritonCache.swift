internal import CTriton
package import Logging
package import ModelRuntime
package import Tensors
private import Threads

/// A response cache in a shared library: `libtritoncache_<name>.so`.
///
/// Another load of a version starts anew. A cache that outlives the process gives it, as in Triton, what a version of
/// the same name and number has answered there.
package final class TritonCache: AnswerCache, @unchecked Sendable {
    private struct Loads: Sendable {
        /// Which load of its version a loaded version is, by its number.
        var known: [UInt64: UInt64] = [:]
        var counts: [CacheKey.Version: UInt64] = [:]

        mutating func index(of model: UInt64, _ version: CacheKey.Version) -> UInt64 {
            if let index = known[model] { return index }
            let index = counts[version, default: 0]
            counts[version] = index + 1
            known[model] = index
            return index
        }
    }

    private let name: String
    private let library: CacheLibrary
    private let cache: OpaquePointer
    private let log: Logger
    private let loads = Locked(Loads())
    /// What was said of it, so that a cache that is gone does not fill the log.
    private let complaints = Locked<Set<String>>([])
    private static let mostComplaints = 16

    /// - Parameters:
    ///   - configuration: JSON, for the library.
    ///   - directories: where it is looked for, in `<name>/`.
    /// - Throws: `invalidArgument` where there is no such library, it is damaged or lacks an entry point; `unavailable`
    ///   where what it needs is not there; what the cache itself says of its configuration.
    package init(
        _ name: String, configuration: String, directories: [String], log: Logger
    ) throws(HalcyonError) {
        guard let path = CacheLibrary.path(of: name, in: directories) else {
            let places = directories.map { "'\($0)/\(name)'" }.joined(separator: ", ")
            throw HalcyonError(
                .invalidArgument,
                "there is no response cache '\(name)': '\(CacheLibrary.fileName(name))' was looked for in \(places); "
                    + "the cache directory names the folder that its folder lies in")
        }
        // A cache may log from the start.
        InterfaceLog.set(log)
        library = try CacheLibrary(path)
        self.name = name
        self.log = log
        var cache: OpaquePointer?
        do throws(HalcyonError) {
            try ErrorObject.check(library.initialize(&cache, configuration))
        } catch {
            throw error.prefixed("the response cache '\(name)' can't be set up: ")
        }
        guard let cache else {
            throw HalcyonError(
                .internal, "the response cache '\(name)' ('\(path)') is set up without an error, and without a cache")
        }
        self.cache = cache
        log.info("response cache", metadata: ["cache": "\(name)", "library": "\(path)"])
    }

    deinit {
        do throws(HalcyonError) {
            try ErrorObject.check(library.finalize(cache))
        } catch {
            log.error("a response cache was taken apart with an error", metadata: ["error": "\(error)"])
        }
    }

    /// Whether there is a library of that name.
    package static func exists(_ name: String, in directories: [String]) -> Bool {
        CacheLibrary.path(of: name, in: directories) != nil
    }

    package var currentUsage: CacheUsage? { nil }

    package func removeAll(of model: UInt64) { loads.withLock { $0.known[model] = nil } }

    package func outputs(for key: CacheKey) -> [Tensor]? {
        let (request, text) = named(key)
        let allocator = CacheAllocatorObject(.read(request: request))
        let isDone = call(library.lookUp, text, CacheEntryObject([]), allocator, expected: .notFound)
        return isDone ? allocator.outputs : nil
    }

    package func insert(_ outputs: [Tensor], for key: CacheKey) {
        guard outputs.allSatisfy(\.data.placement.isHostAccessible) else { return }
        let (request, text) = named(key)
        let header = TensorBuffer(copying: AnswerRecord.header(request, outputs))
        let sources = [header] + outputs.map(\.data).filter { $0.byteCount > 0 }
        let entry = CacheEntryObject(sources.map { .init(base: nil, byteCount: $0.byteCount) })
        _ = call(library.insert, text, entry, CacheAllocatorObject(.write(sources)), expected: .alreadyExists)
    }

    private func named(_ key: CacheKey) -> (request: [UInt8], text: String) {
        let load = loads.withLock { $0.index(of: key.model, key.version) }
        let request = AnswerRecord.request(key, load: load)
        return (request, AnswerRecord.name(of: request, key.version))
    }

    /// - Parameter expected: an error that is none.
    /// - Returns: whether the library did it.
    private func call(
        _ function: TRITONCACHE_CacheLookupFn_t, _ text: String, _ entry: CacheEntryObject,
        _ allocator: CacheAllocatorObject, expected: HalcyonError.Code
    ) -> Bool {
        do throws(HalcyonError) {
            let entry = try Handles.give(entry)
            defer { _ = try? Handles.take(entry, as: CacheEntryObject.self, "entry") }
            let allocator = try Handles.give(allocator)
            defer { _ = try? Handles.take(allocator, as: CacheAllocatorObject.self, "allocator") }
            try ErrorObject.check(function(cache, text, entry, allocator))
            return true
        } catch {
            if error.code != expected { complain(error) }
            return false
        }
    }

    private func complain(_ error: HalcyonError) {
        let isNew = complaints.withLock { complaints in
            complaints.count < Self.mostComplaints && complaints.insert(error.message).inserted
        }
        guard isNew else { return }
        log.warning(
            "the response cache fails, and models answer themselves",
            metadata: ["cache": "\(name)", "error": "\(error)"])
    }
}

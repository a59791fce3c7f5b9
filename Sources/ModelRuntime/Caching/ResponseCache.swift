package import Tensors
internal import Threads

/// Answers of models that equal requests get again: the least recently used go first where they take too much memory.
///
/// A request is equal to another if it is for the same loaded version of the same model and has, byte for byte, the
/// same inputs and wants the same outputs. Keys are compared whole, not by a checksum, so that no request gets
/// another's answer.
package final class ResponseCache: Sendable {
    private final class Entry {
        let key: CacheKey
        let outputs: [Tensor]
        let byteCount: Int
        var newer: Entry?
        unowned(unsafe) var older: Entry?

        init(key: CacheKey, outputs: [Tensor], byteCount: Int) {
            self.key = key
            self.outputs = outputs
            self.byteCount = byteCount
        }
    }

    /// The list goes from the oldest to the newest entry: each holds the next newer one.
    private struct State {
        var entries: [CacheKey: Entry] = [:]
        var oldest: Entry?
        var newest: Entry?
        var byteCount = 0
        var evictions: UInt64 = 0
    }

    /// What an entry takes beside its bytes, about.
    private static let overhead = 512

    private let limit: Int
    private let state: Locked<State>

    /// - Parameter byteLimit: bytes of all entries together.
    package init(byteLimit: Int) {
        limit = byteLimit
        state = Locked(State())
    }

    deinit {
        // One after the other: a long list that releases its head would go down as deep as it is long.
        state.withLock { state in
            while let entry = state.oldest {
                state.oldest = entry.newer
                entry.newer = nil
            }
        }
    }

    package var usage: CacheUsage {
        state.withLock {
            CacheUsage(
                entries: $0.entries.count, byteCount: $0.byteCount, byteLimit: limit, evictions: $0.evictions)
        }
    }

    package func outputs(for key: CacheKey) -> [Tensor]? {
        state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            Self.unlink(entry, &state)
            Self.append(entry, &state)
            return entry.outputs
        }
    }

    /// Keeps the outputs, unless they alone are too large.
    package func insert(_ outputs: [Tensor], for key: CacheKey) {
        let count = key.byteCount + outputs.reduce(Self.overhead) { $0 + $1.data.byteCount }
        guard count <= limit, outputs.allSatisfy(\.data.placement.isHostAccessible) else { return }
        // Copies: a slice would keep the memory of a whole batch, and shared memory changes.
        let copies = outputs.map { output in
            var copy = output
            copy.data = output.data.withUnsafeBytes { TensorBuffer(copying: $0) }
            return copy
        }
        let entry = Entry(key: key.copy(), outputs: copies, byteCount: count)
        state.withLock { state in
            if let known = state.entries[key] { Self.remove(known, &state) }
            while state.byteCount + count > limit, let oldest = state.oldest {
                Self.remove(oldest, &state)
                state.evictions += 1
            }
            state.entries[entry.key] = entry
            state.byteCount += count
            Self.append(entry, &state)
        }
    }

    /// Forgets what a model's version has answered, when it goes.
    package func removeAll(of model: UInt64) {
        state.withLock { state in
            for entry in state.entries.values.filter({ $0.key.model == model }) { Self.remove(entry, &state) }
        }
    }

    private static func remove(_ entry: Entry, _ state: inout State) {
        unlink(entry, &state)
        state.entries[entry.key] = nil
        state.byteCount -= entry.byteCount
    }

    private static func unlink(_ entry: Entry, _ state: inout State) {
        let newer = entry.newer
        if let older = entry.older { older.newer = newer } else { state.oldest = newer }
        if let newer { newer.older = entry.older } else { state.newest = entry.older }
        entry.newer = nil
        entry.older = nil
    }

    private static func append(_ entry: Entry, _ state: inout State) {
        entry.older = state.newest
        if let newest = state.newest { newest.newer = entry } else { state.oldest = entry }
        state.newest = entry
    }
}

/// All that an answer depends on.
package struct CacheKey: Hashable, Sendable {
    /// The loaded version, by a number that no other ever has.
    package let model: UInt64
    /// What that is a version of, for caches that outlive the process.
    package let version: Version
    /// The numbers of the models that it consists of.
    package let steps: [UInt64]
    package private(set) var inputs: [Tensor]
    /// As the request names them; empty for all.
    package let outputs: [String]
    private let hash: Int

    /// A version of a model, whenever it was loaded.
    package struct Version: Hashable, Sendable {
        package var name: String
        package var number: Int64

        package init(name: String, number: Int64) {
            self.name = name
            self.number = number
        }
    }

    package init(
        model: UInt64, version: Version = Version(name: "", number: 0), steps: [UInt64] = [], inputs: [Tensor],
        outputs: [String]
    ) {
        self.model = model
        self.version = version
        self.steps = steps
        self.inputs = inputs
        self.outputs = outputs
        var hasher = Hasher()
        hasher.combine(model)
        hasher.combine(steps)
        hasher.combine(outputs)
        for input in inputs {
            hasher.combine(input.name)
            hasher.combine(input.shape)
            input.data.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        hash = hasher.finalize()
    }

    var byteCount: Int { inputs.reduce(0) { $0 + $1.data.byteCount } }

    /// The same with memory of its own, which nobody changes.
    func copy() -> CacheKey {
        var key = self
        for index in key.inputs.indices {
            key.inputs[index].data = key.inputs[index].data.withUnsafeBytes { TensorBuffer(copying: $0) }
        }
        return key
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    package static func == (left: CacheKey, right: CacheKey) -> Bool {
        left.hash == right.hash && left.model == right.model && left.steps == right.steps
            && left.outputs == right.outputs
            && left.inputs.count == right.inputs.count && zip(left.inputs, right.inputs).allSatisfy(same)
    }

    private static func same(_ left: Tensor, _ right: Tensor) -> Bool {
        guard left.name == right.name, left.elementType == right.elementType, left.shape == right.shape else {
            return false
        }
        return left.data.withUnsafeBytes { left in right.data.withUnsafeBytes { left.elementsEqual($0) } }
    }
}

internal import ModelFiles
internal import Tensors
internal import Threads

/// The sessions of a model on a GPU: one for each set of shapes that its inputs come with, up to a limit.
///
/// ONNX Runtime's provider of CUDA has since version 1.20 one plan for each convolution, that for the shape which came
/// last, and makes it anew whenever the shape changes: tenths of a second to seconds for a whole network
/// (github.com/microsoft/onnxruntime/issues/23006). Batches change their size all the time, so each size gets a session
/// that keeps its plans. Weights and working memory are on the GPU once for each.
final class ShapedSessions: Sendable {
    /// For what is the same in all: inputs and outputs.
    let first: Session

    private struct Entry {
        var shapes: [TensorShape]
        var session: Session
    }

    private struct State {
        /// The one that was used last at the end.
        var entries: [Entry] = []
        /// Sessions that there may be; at least 1. Fewer from when the GPU had no memory for another.
        var limit: Int
        /// Whether somebody makes one.
        var isMaking = false
    }

    private let make: @Sendable () throws(HalcyonError) -> Session
    private let state: Locked<State>

    /// - Parameter limit: sessions that there may be; at least 1.
    init(limit: Int, make: @escaping @Sendable () throws(HalcyonError) -> Session) throws(HalcyonError) {
        state = Locked(State(limit: limit))
        self.make = make
        first = try make()
    }

    /// How many there are.
    var count: Int { max(1, state.withLock(\.entries.count)) }

    /// The session for inputs of these shapes. A new one is made while the limit and the GPU's memory allow it; then
    /// the one that was not used for the longest time changes its shapes. Making one takes long, and nobody waits for
    /// another's: whoever needs a second one meanwhile gets a session of other shapes.
    ///
    /// - Throws: what making a session throws, other than that there is no memory for one.
    func session(for shapes: [TensorShape]) throws(HalcyonError) -> Session {
        if let found = state.withLock({ found(shapes, &$0) }) { return found }
        let made: Session
        do throws(HalcyonError) {
            made = try make()
        } catch {
            return try state.withLock { state throws(HalcyonError) in
                state.isMaking = false
                guard error.code == .unavailable else { throw error }
                state.limit = max(1, state.entries.count)
                return reused(for: shapes, &state)
            }
        }
        state.withLock { state in
            state.isMaking = false
            state.entries.append(Entry(shapes: shapes, session: made))
        }
        return made
    }

    /// - Returns: `nil` where a session is to be made.
    private func found(_ shapes: [TensorShape], _ state: inout State) -> Session? {
        guard state.limit > 1 else { return first }
        if let index = state.entries.lastIndex(where: { $0.shapes == shapes }) {
            let entry = state.entries.remove(at: index)
            state.entries.append(entry)
            return entry.session
        }
        guard !state.entries.isEmpty else {
            state.entries.append(Entry(shapes: shapes, session: first))
            return first
        }
        guard state.entries.count < state.limit else { return reused(for: shapes, &state) }
        guard !state.isMaking else { return state.entries.first?.session ?? first }
        state.isMaking = true
        return nil
    }

    /// The session that was not used for the longest time: it changes its shapes.
    private func reused(for shapes: [TensorShape], _ state: inout State) -> Session {
        guard !state.entries.isEmpty else { return first }
        var entry = state.entries.removeFirst()
        entry.shapes = shapes
        state.entries.append(entry)
        return entry.session
    }
}

extension ShapedSessions {
    /// What a model's sessions on a GPU may take for their weights altogether, in bytes.
    private static let weightLimit = 2 << 30
    /// Batch sizes that are told apart; those that warming up tries.
    private static let most = 16

    /// How many sessions a model may have on a GPU: one, unless its engine makes plans anew with every shape.
    ///
    /// - Parameters:
    ///   - model: what the model is made of.
    ///   - version: the engine's, `1.31.1` for instance.
    ///   - isShared: whether the instances on a GPU have their sessions in common.
    static func limit(
        for model: ONNXSummary, version: String, providers: [ExecutionProvider], isShared: Bool = true
    ) -> Int {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 }
        guard providers.map(\.kind) == [.cuda],
            !model.operators.isDisjoint(with: ["Conv", "ConvTranspose", "FusedConv"]),
            (parts.first ?? 0, parts.dropFirst().first ?? 0) >= (1, 20),
            // Each session would have as much again.
            isShared, providers.allSatisfy({ $0.options["gpu_mem_limit"] == nil })
        else { return 1 }
        return min(most, max(1, weightLimit / max(1, model.byteCount)))
    }
}

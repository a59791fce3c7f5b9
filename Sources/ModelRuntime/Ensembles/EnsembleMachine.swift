internal import DequeModule
internal import ModelConfigurations
internal import Tensors

/// One request on its way through an ensemble: which steps run when, and what comes of their responses, as a value.
///
/// The request is the one item of stream 0; each response of a decoupled step is an item of that step's stream. The
/// steps of a stream run for each of its items as soon as their inputs are there. A decoupled step of such a stream
/// takes one item after the other, so that its responses keep the order of the items that they are for.
///
/// An item is done when all of its steps are. One of the stream of the outputs is a response then, and responses leave
/// in the order of their items. The request ends when all items are done, or with the first error.
struct EnsembleMachine: Sendable {
    /// One execution of a step, for one item.
    struct Call: Hashable, Sendable {
        var item: Int
        var step: Int
    }

    /// What there is to do, in this order, outside of the lock.
    struct Actions: Sendable {
        /// Steps to start, with the tensors that they read, by the ensemble's names.
        var starts: [(call: Call, tensors: [String: EnsembleTensor])] = []
        /// Responses of these calls, one for each time that one is named, are done with.
        var taken: [Call] = []
        /// The tensors of responses, in order.
        var responses: [[String: EnsembleTensor]] = []
        /// Whether the request has ended well.
        var hasEnded = false
    }

    private struct Item {
        var stream: Int
        /// Its place in the stream.
        var number: Int
        /// The call of which it is a response; `nil` for the request.
        var source: Call?
        var tensors: [String: EnsembleTensor]
        /// Steps that are still to be started.
        var open: Set<Int>
        /// Steps that have not ended.
        var underWay: Set<Int> = []
    }

    /// A stream's items.
    private struct Stream {
        var steps: Set<Int> = []
        /// Items that there were.
        var count = 0
        /// Those of the outputs' stream that are done and wait for the ones before them, by number.
        var done: [Int: Item] = [:]
        var delivered = 0
    }

    private let ensemble: EnsembleScheduling
    private let dependencies: [Set<Int>]
    private let streams: EnsembleStreams
    private let outputs: Set<String>
    private var items: [Int: Item] = [:]
    private var nextItem = 0
    private var state: [Stream]
    /// For a decoupled step that reads a stream, the number of the item whose turn it is.
    private var turns: [Int: Int] = [:]
    private(set) var hasEnded = false

    /// - Parameters:
    ///   - steps: those that have to run.
    ///   - outputs: the tensors of responses.
    init(
        _ ensemble: EnsembleScheduling, _ graph: EnsembleGraph, _ streams: EnsembleStreams, steps: Set<Int>,
        outputs: [String]
    ) {
        self.ensemble = ensemble
        self.streams = streams
        dependencies = graph.dependencies
        self.outputs = Set(outputs)
        state = Array(repeating: Stream(), count: (streams.ofOutputs.max() ?? 0) + 1)
        for step in steps { state[streams.ofStep[step]].steps.insert(step) }
    }

    /// Whether a call's responses make items, any number of them.
    func isDecoupled(_ call: Call) -> Bool { streams.isDecoupled(step: call.step) }

    /// Whether a call has been started and has not ended.
    func isUnderWay(_ call: Call) -> Bool { items[call.item]?.underWay.contains(call.step) == true }

    // MARK: Events

    mutating func start(_ inputs: [String: EnsembleTensor]) -> Actions {
        var actions = Actions()
        if !hasEnded { add(0, inputs, from: nil, to: &actions) }
        return actions
    }

    /// A step has responded.
    ///
    /// - Parameters:
    ///   - tensors: by the ensemble's names; `nil` for the bare news that there are no more.
    ///   - isFinal: whether no more responses follow.
    mutating func responded(_ call: Call, _ tensors: [String: EnsembleTensor]?, isFinal: Bool) -> Actions {
        var actions = Actions()
        guard !hasEnded, isUnderWay(call) else { return actions }
        if isDecoupled(call) {
            if let tensors { add(streams.ofOutputs[call.step], tensors, from: call, to: &actions) }
            if isFinal { ended(call, to: &actions) }
        } else {
            items[call.item]?.tensors.merge(tensors ?? [:]) { _, new in new }
            ended(call, to: &actions)
        }
        if items.isEmpty {
            hasEnded = true
            actions.hasEnded = true
        }
        return actions
    }

    /// Nothing more is to be done.
    ///
    /// - Returns: whether it had not ended before.
    mutating func stop() -> Bool {
        defer {
            hasEnded = true
            items = [:]
            state = []
        }
        return !hasEnded
    }

    // MARK: Items

    private mutating func add(
        _ stream: Int, _ tensors: [String: EnsembleTensor], from source: Call?, to actions: inout Actions
    ) {
        let index = nextItem
        nextItem += 1
        items[index] = Item(
            stream: stream, number: state[stream].count, source: source, tensors: tensors, open: state[stream].steps)
        state[stream].count += 1
        advance(index, &actions)
    }

    private mutating func ended(_ call: Call, to actions: inout Actions) {
        items[call.item]?.underWay.remove(call.step)
        if streams.isDecoupled(step: call.step), streams.ofStep[call.step] > 0 {
            turns[call.step, default: 0] += 1
            let next = items.first { $1.stream == streams.ofStep[call.step] && $1.number == turns[call.step] }
            if let next { advance(next.key, &actions) }
        }
        advance(call.item, &actions)
    }

    /// Starts every step of an item whose inputs are there.
    private mutating func advance(_ index: Int, _ actions: inout Actions) {
        guard var item = items[index] else { return }
        for step in item.open.sorted() where mayStart(step, of: item) {
            item.open.remove(step)
            item.underWay.insert(step)
            let names = ensemble.steps[step].inputMap.values
            // An optional input of the ensemble that was left out is left out here as well.
            let tensors = item.tensors.filter { names.contains($0.key) }
            actions.starts.append((Call(item: index, step: step), tensors))
        }
        forgetTensors(of: &item)
        items[index] = item
        if item.open.isEmpty, item.underWay.isEmpty { finish(index, item, &actions) }
    }

    private func mayStart(_ step: Int, of item: Item) -> Bool {
        if streams.isDecoupled(step: step), item.stream > 0, turns[step, default: 0] != item.number { return false }
        return dependencies[step].allSatisfy { other in
            streams.ofOutputs[other] != item.stream || streams.isDecoupled(step: other)
                || !item.open.contains(other) && !item.underWay.contains(other)
        }
    }

    /// Releases what no step needs any more, and nobody has asked for.
    private func forgetTensors(of item: inout Item) {
        var needed = item.stream == streams.output ? outputs : []
        for step in item.open { needed.formUnion(ensemble.steps[step].inputMap.values) }
        item.tensors = item.tensors.filter { needed.contains($0.key) }
    }

    private mutating func finish(_ index: Int, _ item: Item, _ actions: inout Actions) {
        items[index] = nil
        guard item.stream == streams.output else {
            if let source = item.source { actions.taken.append(source) }
            return
        }
        state[item.stream].done[item.number] = item
        while let next = state[item.stream].done.removeValue(forKey: state[item.stream].delivered) {
            state[item.stream].delivered += 1
            actions.responses.append(next.tensors)
            if let source = next.source { actions.taken.append(source) }
        }
    }
}

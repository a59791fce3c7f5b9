internal import CTriton
internal import Tensors

/// A state that a backend keeps for the next request of a sequence. It lives as long as the request that it was made
/// for.
package final class StateObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .state }
    /// Like an output of a response: a name, a type, a shape and memory for it.
    let tensor: OutputObject
    private let source: any RequestSource
    private let own = GivenHandle()

    init(_ tensor: OutputObject, of source: any RequestSource) throws(HalcyonError) {
        self.tensor = tensor
        self.source = source
        super.init()
        try own.give(self)
    }

    var handle: OpaquePointer? { own.pointer }

    func update() throws(HalcyonError) { source.keep(try tensor.tensor()) }

    func end() {
        tensor.end()
        own.take(StateObject.self)
    }
}

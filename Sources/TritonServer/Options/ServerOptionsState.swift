internal import Tensors
internal import Threads
internal import TritonInterface

/// The settings behind a handle of options.
final class ServerOptionsState: Sendable {
    private let state = Locked(ServerSettings())

    var settings: ServerSettings { state.withLock { $0 } }

    func change(_ body: (inout ServerSettings) throws(HalcyonError) -> Void) throws(HalcyonError) {
        try state.withLock { settings throws(HalcyonError) in
            // All of a change, or nothing of it.
            var changed = settings
            try body(&changed)
            settings = changed
        }
    }
}

extension ServerOptionsObject {
    /// - Throws: `invalidArgument` as ``Handles/object(_:as:_:)``.
    static func state(_ options: OpaquePointer?) throws(HalcyonError) -> ServerOptionsState {
        let object = try Handles.object(options, as: ServerOptionsObject.self, "options")
        guard let state = object.content as? ServerOptionsState else {
            throw HalcyonError(.internal, "'options' were made elsewhere")
        }
        return state
    }
}

/// Changes what a server is to be started with.
func change(
    _ options: OpaquePointer?, _ body: (inout ServerSettings) throws(HalcyonError) -> Void
) throws(HalcyonError) {
    try ServerOptionsObject.state(options).change(body)
}

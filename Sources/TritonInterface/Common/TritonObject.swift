/// What a pointer of the interface stands for. The numbers are unlike anything that memory usually holds.
package enum HandleKind: UInt64 {
    case error = 0x7A11_0001_5EED_C0DE
    case parameter
    case bufferAttributes
    case message
    case metricFamily
    case metric
    case metricArguments
    case server
    case serverOptions
    case responseAllocator
    case inferenceRequest
    case inferenceResponse
    case inferenceTrace
    case metrics
    case backend
    case backendAttribute
    case memoryManager
    case model
    case modelInstance
    case responseStatistics
    case request
    case input
    case response
    case output
    case responseFactory
    case state
    case cacheEntry
    case cacheAllocator
    case agent
    case agentModel

    /// As it is called in errors.
    var title: String { "a handle of kind '\(self)'" }
}

/// What C programs know by a pointer. Each class has a kind of its own.
///
/// Any thread may call the interface's functions: what an object lets change, it locks.
package class TritonObject: @unchecked Sendable {
    package class var kind: HandleKind { .error }
    package init() {}
}

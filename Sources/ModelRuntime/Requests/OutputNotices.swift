internal import Logging
internal import Tensors
internal import Threads

/// Says once of each output that what the model returns is not what its configuration declares.
final class OutputNotices: Sendable {
    private let model: String
    private let log: Logger
    private let noted = Locked<Set<String>>([])

    init(model: String, log: Logger) {
        self.model = model
        self.log = log
    }

    func note(_ output: String, _ shape: TensorShape, declared: TensorShape) {
        guard noted.withLock({ $0.insert(output).inserted }) else { return }
        log.notice(
            "an output has another shape than the model or its configuration declares; it goes out as it is",
            metadata: ["model": "\(model)", "output": "\(output)", "shape": "\(shape)", "declared": "\(declared)"])
    }
}

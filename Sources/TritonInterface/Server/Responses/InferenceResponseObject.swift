internal import Tensors
internal import Threads

/// A response that C programs hold. It is complete before a program sees it.
package final class InferenceResponseObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .inferenceResponse }

    let modelName: String
    let modelVersion: Int64
    let modelText: CText
    let idText: CText
    var parameters: [ResponseParameter] = []
    private(set) var outputs: [ResponseOutput] = []
    /// The handle of the error; `nil` for a response that is none.
    private(set) var error: OpaquePointer?
    private let server: ServerObject
    /// What was handed out as C reads it, by output. Few ask for labels: one lock for all responses will do.
    private var labels: [String: [CText]] = [:]
    private static let lock = Locked(())

    init(model: String, version: Int64, id: String, server: ServerObject) {
        modelName = model
        modelVersion = version
        modelText = server.text(model)
        idText = id.isEmpty ? .empty : CText(id)
        self.server = server
        super.init()
    }

    deinit { if let error { _ = try? Handles.take(error, as: ErrorObject.self, "error") } }

    func reserve(_ count: Int) { outputs.reserveCapacity(count) }
    func add(_ output: ResponseOutput) { outputs.append(output) }

    func fail(_ error: HalcyonError) {
        outputs = []
        self.error = ErrorObject.give(error)
    }

    /// Gives the outputs' memory back now, whoever still looks at the response.
    func delete() { outputs = [] }

    /// - Throws: `invalidArgument` for an output that there is not.
    func output(_ index: UInt32) throws(HalcyonError) -> ResponseOutput {
        guard outputs.indices.contains(Int(index)) else {
            throw HalcyonError(
                .invalidArgument, "out of bounds index \(index), response has \(outputs.count) outputs")
        }
        return outputs[Int(index)]
    }

    func parameter(_ index: UInt32) throws(HalcyonError) -> ResponseParameter {
        guard parameters.indices.contains(Int(index)) else {
            throw HalcyonError(
                .invalidArgument, "out of bounds index \(index), response has \(parameters.count) parameters")
        }
        return parameters[Int(index)]
    }

    /// The label of a class; `nil` for one without.
    func label(of output: ResponseOutput, _ index: Int) -> CText? {
        if let known = Self.lock.withLock({ _ in labels[output.name] }) {
            return known.indices.contains(index) ? known[index] : nil
        }
        let texts = server.models.labels(of: output.name, model: modelName, version: modelVersion).map { CText($0) }
        // Another thread may have been first, and its texts may be in use.
        let kept = Self.lock.withLock { _ in
            if labels[output.name] == nil { labels[output.name] = texts }
            return labels[output.name] ?? texts
        }
        return kept.indices.contains(index) ? kept[index] : nil
    }
}

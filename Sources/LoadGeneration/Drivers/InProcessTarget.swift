package import Halcyon
package import Tensors
internal import Threads

/// A server in this process, without a wire.
package final class InProcessTarget: LoadTarget {
    private let server: InferenceServer
    private let model: String
    private let version: Int64?
    private let prepared = Locked<RequestForm?>(nil)
    private let firstSequence = Locked<UInt64>(1)

    package init(_ server: InferenceServer, model: String, version: Int64?) {
        self.server = server
        self.model = model
        self.version = version
    }

    package var name: String { "this process" }

    package func describe() throws(HalcyonError) -> ModelDescription {
        try ModelDescription(model, version: version, of: server)
    }

    package func statistics() throws(HalcyonError) -> ServerCounts? {
        ServerCounts(try server.statistics(model: model, version: version))
    }

    package func prepare(_ form: RequestForm) throws(HalcyonError) {
        prepared.withLock { $0 = form }
        guard let step = form.data.steps.first else { return }
        var cursor = RequestCursor(form, lane: 0, of: 1, firstID: nextSequences(1))
        let call = InProcessCall()
        call.run(request(step, cursor.next(isLast: true)), on: server)
        if let error = call.error {
            throw error.prefixed("the model '\(model)' refuses a request: ")
        }
    }

    private func nextSequences(_ count: UInt64) -> UInt64 {
        firstSequence.withLock { first in
            defer { first &+= count }
            return first
        }
    }

    private func request(_ step: RequestData.Step, _ next: RequestCursor.Next) -> InferenceRequest {
        var request = InferenceRequest(modelName: model, modelVersion: version, inputs: step)
        request.sequence = next.sequence
        return request
    }

    package func start(_ load: Load, _ options: LoadOptions) throws(HalcyonError) -> any LoadDriver {
        guard let form = prepared.withLock({ $0 }) else {
            throw HalcyonError(.internal, "there are no requests to put a load on a server with")
        }
        let server = server
        let steps = form.data.steps
        return try InProcessDriver(load, options, form: form, firstSequence: nextSequences(1 << 20)) { [self] in
            let call = InProcessCall()
            call.run(request(steps[$0.step], $0), on: server)
            return call
        }
    }

    package func close() {}
}

package import Halcyon
internal import ModelRuntime
package import NIOCore
internal import NIOHTTP1
package import Transport

/// Answers Prometheus: `GET /metrics`.
package final class MetricsEndpoint: HTTPResponder {
    private let server: InferenceServer
    private let renderer: MetricsRenderer
    private let machine = Locked<MachineUsage?>(nil)

    /// - Parameter configuration: which families there are.
    package init(server: InferenceServer, configuration: MetricsConfiguration) {
        self.server = server
        renderer = MetricsRenderer(configuration)
    }

    /// Measures the use of processor and memory from now on, until the event loop ends.
    package func measureMachine(every interval: TimeAmount, on eventLoop: any EventLoop) {
        let meter = MachineUsageMeter()
        machine.withLock { $0 = meter.sample() }
        eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] task in
            guard let self else { return task.cancel() }
            machine.withLock { $0 = meter.sample() }
        }
    }

    package func respond(to request: HTTPRequest, reply: HTTPReply) {
        guard request.path == "/metrics" else {
            return reply.send(HTTPAnswer(status: .notFound, contentType: "text/plain"))
        }
        guard request.method == .GET || request.method == .HEAD else {
            return reply.send(HTTPAnswer(status: .methodNotAllowed, contentType: "text/plain"))
        }
        let text = renderer.text(MetricsSnapshot(of: server, machine: machine.withLock { $0 }))
        var answer = HTTPAnswer(status: .ok, contentType: MetricsRenderer.contentType, head: Array(text.utf8))
        answer.mayBeCompressed = true
        reply.send(answer)
    }

    package func answer(for error: HTTPConnectionError) -> HTTPAnswer {
        HTTPAnswer(status: error.status, contentType: "text/plain", head: Array(error.message.utf8))
    }
}

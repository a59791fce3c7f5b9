internal import CUDADriver
package import Halcyon
internal import ModelRuntime
package import NIOCore
internal import NIOHTTP1
package import Tensors
internal import Threads
package import Transport

/// Answers Prometheus: `GET /metrics`.
package final class MetricsEndpoint: HTTPResponder {
    private let server: InferenceServer
    private let renderer: MetricsRenderer
    private let machine = Locked<MachineUsage?>(nil)
    private let gpus = Locked<Measurement<[GPUUsage]>?>(nil)

    private let connections: ConnectionCounters

    /// - Parameters:
    ///   - configuration: which families there are.
    ///   - connections: to all ports.
    package init(server: InferenceServer, configuration: MetricsConfiguration, connections: ConnectionCounters) {
        self.server = server
        self.connections = connections
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

    /// Measures the use of GPUs from now on, until the event loop ends.
    ///
    /// - Returns: why there is nothing to measure; `nil` where there is.
    package func measureGPUs(every interval: TimeAmount, on eventLoop: any EventLoop) -> HalcyonError? {
        do {
            let meter = try GPUMeter.open()
            let measurement = Measurement { meter.sample() }
            gpus.withLock { $0 = measurement }
            eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] task in
                guard self != nil else { return task.cancel() }
                measurement.begin()
            }
            return nil
        } catch {
            return error
        }
    }

    package func respond(to request: HTTPRequest, reply: HTTPReply) {
        guard request.path == "/metrics" else {
            return reply.send(HTTPAnswer(status: .notFound, contentType: "text/plain"))
        }
        guard request.method == .GET || request.method == .HEAD else {
            return reply.send(HTTPAnswer(status: .methodNotAllowed, contentType: "text/plain"))
        }
        var snapshot = MetricsSnapshot(of: server, machine: machine.withLock { $0 })
        snapshot.gpus = gpus.withLock { $0 }?.latest ?? []
        snapshot.connections = connections
        let text = renderer.text(snapshot)
        var answer = HTTPAnswer(status: .ok, contentType: MetricsRenderer.contentType, head: Array(text.utf8))
        answer.mayBeCompressed = true
        reply.send(answer)
    }

    package func answer(for error: HTTPConnectionError) -> HTTPAnswer {
        HTTPAnswer(status: error.status, contentType: "text/plain", head: Array(error.message.utf8))
    }
}

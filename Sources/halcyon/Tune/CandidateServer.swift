internal import ConfigurationSearch
internal import Halcyon
internal import LoadGeneration
internal import ModelConfigurations
internal import Tensors
internal import Threads

/// A server in this process that has the model in one setting after the other, and measures it.
final class CandidateServer: Sendable {
    /// What was seen in a turn.
    struct Turn: Sendable {
        var figures: Objective.Figures
        var seconds: Double
    }

    private let server: InferenceServer
    private let model: String
    private let text: ModelText
    private let form: @Sendable (ModelDescription) throws(HalcyonError) -> RequestForm
    private let target: InProcessTarget

    /// - Parameter form: what the requests are.
    init(
        _ options: ServerOptions, model: String, text: ModelText,
        form: @escaping @Sendable (ModelDescription) throws(HalcyonError) -> RequestForm
    ) throws(HalcyonError) {
        var options = options
        options.modelControlMode = .explicit
        options.startupModels = []
        let server = try InferenceServer(options)
        self.server = server
        self.model = model
        self.text = text
        self.form = form
        target = InProcessTarget(server, model: model, version: nil)
        try Awaited.run { try await server.waitUntilReady() }
    }

    /// Loads the model as it lies there.
    func loadPresent() throws(HalcyonError) -> ModelConfiguration {
        let (server, model) = (server, model)
        try Awaited.run { try await server.loadModel(model) }
        try prepare()
        return try server.modelConfiguration(model)
    }

    /// Loads the model in a setting.
    func load(_ setting: Setting) throws(HalcyonError) {
        let configuration = try text.json(of: setting)
        let (server, model) = (server, model)
        try Awaited.run {
            try await server.loadModel(model, override: ModelOverride(configuration: configuration))
        }
        try prepare()
    }

    private func prepare() throws(HalcyonError) { try target.prepare(try form(try target.describe())) }

    /// Puts the load on for a turn.
    func turn(_ load: Load, _ options: LoadOptions, _ length: WindowLength, batch: Int) throws(HalcyonError) -> Turn {
        let clock = SystemClock()
        let parker = Parker()
        let driver = try target.start(load, options)
        defer { driver.stop() }
        // What comes first still fills queues and caches.
        parker.park(until: clock.now() &+ length.interval / 10)
        _ = driver.take()
        let start = clock.now()
        while true {
            let elapsed = clock.now() &- start
            if length.isOver(elapsed: elapsed, requests: elapsed < length.interval ? 0 : driver.succeeded) { break }
            let left = elapsed < length.interval ? length.interval - elapsed : 0
            parker.park(until: clock.now() &+ min(max(left, 5_000_000), 50_000_000))
        }
        let counts = driver.take()
        let seconds = Double(clock.now() &- start) / 1e9
        guard counts.requests > 0 else {
            let reason =
                counts.errors.max { $0.value < $1.value }?.key
                ?? "no request was answered in \(Figures.short(seconds)) s"
            throw HalcyonError(.unavailable, reason)
        }
        return Turn(
            figures: Objective.Figures(
                throughput: Double(counts.requests * batch) / seconds, meanLatency: counts.latency.mean,
                p99: Double(counts.latency.percentile(99))), seconds: seconds)
    }

    /// Some requests at once, once: how long all took, and what the server did meanwhile.
    func burst(_ count: Int) throws(HalcyonError) -> (nanoseconds: Double, server: ServerCounts) {
        let before = try target.statistics() ?? ServerCounts()
        var options = LoadOptions()
        options.mostUnderWay = count
        let driver = try target.start(.recorded(Array(repeating: 0, count: count)), options)
        let parker = Parker()
        let clock = SystemClock()
        while !driver.isOver { parker.park(until: clock.now() &+ 1_000_000) }
        driver.stop()
        let counts = driver.take()
        guard counts.requests == count else {
            throw HalcyonError(.unavailable, "a request failed: \(counts.errors.keys.sorted().first ?? "no answer")")
        }
        return (Double(counts.latency.largest), (try target.statistics() ?? ServerCounts()).since(before))
    }

    func stop() {
        let server = server
        try? Awaited.run { _ = await server.shutdown() }
    }
}

internal import ModelConfigurations
internal import ModelRuntime
internal import Synchronization
internal import Tensors

/// A route through served models, which it holds.
final class HeldRoute: EnsembleRoute {
    private struct Step: Sendable {
        let model: ServedModel
        /// Where the model is an ensemble itself.
        let route: HeldRoute?
    }

    private let steps: [Step]
    /// Those that this route has to let go of; a route inside of another has none.
    private let held: [ServedModel]
    private let isReleased = Atomic<Bool>(false)
    let generations: [UInt64]
    let isStateful: Bool

    private init(steps: [Step], held: [ServedModel]) {
        self.steps = steps
        self.held = held
        let inner = steps.flatMap { [$0.model.generation] + ($0.route?.generations ?? []) }
        generations = Set(inner).sorted()
        isStateful = steps.contains { $0.model.isStateful || $0.route?.isStateful == true }
    }

    deinit { release() }

    func release() {
        guard isReleased.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        for model in held { model.release() }
    }

    func model(ofStep index: Int) -> EnsembleStepModel? {
        steps.indices.contains(index) ? steps[index].model.stepModel : nil
    }

    func submit(
        _ request: InferenceRequest, toStep index: Int, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        guard steps.indices.contains(index) else {
            handler(.failure(HalcyonError(.internal, "an ensemble has no step \(index)")))
            return nil
        }
        let step = steps[index]
        if let route = step.route, let ensemble = step.model.executor as? EnsembleExecutor {
            return ensemble.submit(request, on: route, handler: handler)
        }
        return step.model.executor.submit(request, from: .nonBlocking, handler: handler)
    }

    // MARK: Making one

    /// The models of an ensemble's steps, held. Called under the lock of the table, so that they are of one moment.
    ///
    /// - Parameter find: the served model of a step.
    /// - Throws: why a step has no model, with its number and model; `invalidArgument` for ensembles that need each
    ///   other in a circle.
    static func make(
        _ ensemble: String, _ steps: [EnsembleScheduling.Step],
        find: @escaping (EnsembleScheduling.Step) throws(HalcyonError) -> ServedModel
    ) throws(HalcyonError) -> HeldRoute {
        var builder = Builder(find: find, path: [ensemble])
        let resolved = try builder.resolve(steps, of: ensemble)
        for model in builder.models { model.hold() }
        return HeldRoute(steps: resolved, held: builder.models)
    }

    private struct Builder {
        let find: (EnsembleScheduling.Step) throws(HalcyonError) -> ServedModel
        /// The ensembles around the one at hand, by key.
        var path: [String]
        var models: [ServedModel] = []
        /// An ensemble that several steps need is looked up once.
        private var routes: [ObjectIdentifier: HeldRoute] = [:]
        private var known: Set<ObjectIdentifier> = []

        init(find: @escaping (EnsembleScheduling.Step) throws(HalcyonError) -> ServedModel, path: [String]) {
            self.find = find
            self.path = path
        }

        mutating func resolve(
            _ steps: [EnsembleScheduling.Step], of ensemble: String
        ) throws(HalcyonError) -> [Step] {
            var resolved: [Step] = []
            for (index, step) in steps.enumerated() {
                do {
                    let model = try find(step)
                    if known.insert(ObjectIdentifier(model)).inserted { models.append(model) }
                    resolved.append(Step(model: model, route: try route(of: model)))
                } catch {
                    // The ensemble itself is there.
                    let code = error.code == .notFound ? .unavailable : error.code
                    throw HalcyonError(code, error.message).prefixed(
                        "in ensemble '\(ensemble)', step \(index), model '\(step.modelName)': ")
                }
            }
            return resolved
        }

        private mutating func route(of model: ServedModel) throws(HalcyonError) -> HeldRoute? {
            guard !model.steps.isEmpty else { return nil }
            if let route = routes[ObjectIdentifier(model)] { return route }
            guard !path.contains(model.key) else {
                let circle = (path.drop { $0 != model.key } + [model.key]).joined(separator: " -> ")
                throw HalcyonError(.invalidArgument, "circular dependency between ensembles: \(circle)")
            }
            path.append(model.key)
            defer { path.removeLast() }
            let route = HeldRoute(steps: try resolve(model.steps, of: model.name), held: [])
            routes[ObjectIdentifier(model)] = route
            return route
        }
    }
}

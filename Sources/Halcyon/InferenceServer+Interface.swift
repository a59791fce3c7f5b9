package import ModelRepository
package import ModelRuntime
package import Tensors
package import TritonInterface

// What programs and backends ask of a server through Triton's C interface.
extension InferenceServer: ServedModels {
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do throws(HalcyonError) {
            return try resolve(request.modelName, version: request.modelVersion)
                .submit(request, from: caller, handler: handler)?.submitted
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    package func facts(_ name: String, version: Int64?) throws(HalcyonError) -> ModelFacts {
        let model = try resolve(name, version: version)
        let interface = model.interface
        return ModelFacts(
            name: interface.name, version: interface.version, inputs: interface.inputs,
            maxBatchSize: interface.maxBatchSize, isDecoupled: model.isDecoupled,
            isDoneWhenAnswered: model.isDoneWhenAnswered)
    }

    package func labels(of output: String, model: String, version: Int64?) -> [String] {
        (try? labels(model, output: output, version: version)) ?? []
    }

    package func load(_ name: String, override: ModelOverride?) throws(HalcyonError) {
        try checkRepositoryControl()
        try manager.load(name, override: override)
    }

    package func unload(_ name: String, dependents: Bool) throws(HalcyonError) {
        try checkRepositoryControl()
        try manager.beginUnloading(name, dependents: dependents)
    }

    /// Whether clients, programs in C and backends may load and unload models.
    ///
    /// - Throws: `unavailable`, in Triton's words, where the repositories alone say what is loaded.
    package func checkRepositoryControl() throws(HalcyonError) {
        guard isControlExplicit else {
            throw HalcyonError(
                .unavailable, "explicit model load / unload is not allowed if polling is enabled")
        }
    }
}

internal import ModelConfigurations
internal import Tensors

extension ModelLoader {
    /// Loads a version as a server would, and lets it go again.
    ///
    /// - Throws: whatever keeps it from being served.
    func tryOut(_ key: String, version: Int64) throws(HalcyonError) {
        // The models of an ensemble's steps are the only ones that it would ask for.
        let alone = Surroundings(
            configuration: { step throws(HalcyonError) in throw Self.noOther(step.modelName) },
            resolver: { key, _ throws(HalcyonError) in throw Self.noOther(key) })
        let preparation: Preparation
        do throws(LoadFailure) {
            preparation = try prepare(key)
        } catch {
            throw error.error
        }
        _ = stop([try load(preparation, version: version, in: alone)], deadline: nil)
    }

    private static func noOther(_ name: String) -> HalcyonError {
        HalcyonError(.internal, "model '\(name)' is not tried out as a part of another")
    }
}

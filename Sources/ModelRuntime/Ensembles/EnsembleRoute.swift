/// The models of an ensemble's steps for one request: all of the same moment, and none of them goes before the request
/// has ended.
package protocol EnsembleRoute: AnyObject, Sendable {
    /// The numbers of all loaded versions that the steps reach, of which no two are ever the same.
    var generations: [UInt64] { get }

    /// Whether a model among them remembers what it was asked before.
    var isStateful: Bool { get }

    /// What there is to know of a step's model; `nil` for a step that the ensemble does not have.
    func model(ofStep index: Int) -> EnsembleStepModel?

    /// Hands a request to the model of a step, as ``RequestExecutor/submit(_:from:handler:)`` does.
    func submit(
        _ request: InferenceRequest, toStep index: Int, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)?

    /// Releases the models. Later calls do nothing.
    func release()
}

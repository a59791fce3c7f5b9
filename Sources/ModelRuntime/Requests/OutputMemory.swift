package import Tensors

/// Where the outputs of a request are written, if the caller has a place of its own for them: who makes an output asks
/// for memory first, and writes into that.
package protocol OutputMemory: AnyObject, Sendable {
    /// What is asked for next belongs to another response.
    func startResponse() throws(HalcyonError)

    /// Memory for an output of the response that was started last. Where nobody answers with it, it goes back by
    /// itself.
    ///
    /// - Parameter placement: where it would be best; it may be elsewhere.
    /// - Throws: what the caller says where it has none.
    func storage(
        for output: String, byteCount: Int, in placement: MemoryPlacement
    ) throws(HalcyonError) -> TensorStorage

    /// Where the caller would put an output.
    ///
    /// - Parameters:
    ///   - output: `nil` for any.
    ///   - byteCount: `nil` where it is not known yet.
    /// - Returns: with as many bytes as the caller counts on; `nil` where it does not say.
    /// - Throws: what the caller says.
    func plan(for output: String?, byteCount: Int?) throws(HalcyonError) -> OutputPlan?
}

/// Where a caller would put an output.
package struct OutputPlan: Hashable, Sendable {
    package var placement: MemoryPlacement
    package var byteCount: Int?

    package init(placement: MemoryPlacement, byteCount: Int?) {
        self.placement = placement
        self.byteCount = byteCount
    }
}

extension OutputMemory {
    /// Where the caller would put all of these outputs; `nil` where it does not say, or names several places.
    func placement(of outputs: [String]) -> MemoryPlacement? {
        var common: MemoryPlacement?
        for output in outputs {
            // A caller that can't say is asked again when there is something to put somewhere.
            guard let plan = try? plan(for: output, byteCount: nil), common == nil || common == plan.placement else {
                return nil
            }
            common = plan.placement
        }
        return common
    }
}

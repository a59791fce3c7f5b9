internal import Tensors

/// What computes a model's nodes in place of the engine's own code, with its options as the engine takes them.
struct ExecutionProvider: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, CaseIterable {
        case cuda = "CUDAExecutionProvider"
        case tensorRT = "TensorrtExecutionProvider"
        case openVINO = "OpenVINOExecutionProvider"

        /// The package on PyPI whose library has it.
        var package: String { self == .openVINO ? "onnxruntime-openvino" : "onnxruntime-gpu" }

        /// As in a configuration.
        var acceleratorName: String {
            switch self {
            case .cuda: "cuda"
            case .tensorRT: "tensorrt"
            case .openVINO: "openvino"
            }
        }
    }

    var kind: Kind
    var options: [String: String] = [:]

    /// - Parameter available: the providers that the library was built with, by their names.
    /// - Throws: `unsupported` where it is not among them: which there are, and what brings it.
    func check(_ available: [String], version: String) throws(HalcyonError) {
        guard !available.contains(kind.rawValue) else { return }
        throw HalcyonError(
            .unsupported,
            "the installed ONNX Runtime \(version) has no \(kind.rawValue), only "
                + "\(available.joined(separator: ", ")): it comes with the package '\(kind.package)' on PyPI")
    }
}

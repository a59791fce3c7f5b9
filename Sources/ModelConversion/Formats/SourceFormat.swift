/// What a model file may be, by its content.
package enum SourceFormat: String, Sendable, CaseIterable {
    case onnx
    /// A TensorFlow frozen graph: one protobuf message.
    case tensorFlowGraph = "tensorflow"
    /// A folder with `saved_model.pb`.
    case savedModel = "saved_model"
    case tensorFlowLite = "tflite"
    case openVINO = "openvino"
    /// NVIDIA's container with an encrypted model.
    case encrypted = "etlt"

    /// The name that a person knows it by.
    package var title: String {
        switch self {
        case .onnx: "ONNX"
        case .tensorFlowGraph: "TensorFlow frozen graph"
        case .savedModel: "TensorFlow saved model"
        case .tensorFlowLite: "TensorFlow Lite"
        case .openVINO: "OpenVINO IR"
        case .encrypted: "encrypted .etlt"
        }
    }
}

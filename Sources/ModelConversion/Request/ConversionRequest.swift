/// What the user asks for, flag by flag, before anything of it has been judged. `nil` and empty are flags that were not
/// given.
package struct ConversionRequest: Sendable {
    package enum Target: String, Sendable, CaseIterable {
        case openVINO = "openvino"
        case onnx
        case tensorRT = "tensorrt"
    }

    package enum Precision: String, Sendable, CaseIterable {
        case fp32
        case fp16
        case bf16
        case int8
    }

    package enum Layout: String, Sendable, CaseIterable {
        case nchw
        case nhwc
    }

    /// How a picture becomes the model's input, for calibration and for pre-processing inside the model.
    package struct Preprocessing: Sendable, Hashable {
        package enum Color: String, Sendable, CaseIterable {
            case rgb
            case bgr
        }

        package enum Resize: String, Sendable, CaseIterable {
            case letterbox
            case stretch
        }

        /// Numbers with commas between: one, or one a channel.
        package var scale: String?
        package var mean: String?
        package var color: Color?
        package var resize: Resize?

        package init() {}

        var isEmpty: Bool { self == Preprocessing() }
    }

    package var model: String
    package var target = Target.openVINO
    package var precision = Precision.fp32
    /// `[NAME=]C,H,W`, each.
    package var dimensions: [String] = []
    package var layout: Layout?
    /// Names with commas between.
    package var outputs = ""
    package var maxBatch: Int?
    package var calibration: String?
    package var calibrationBatch: Int?
    package var augmentsCalibration = false
    package var outputFile: String?
    package var outputVersion: String?
    package var outputModel: String?
    package var overwrites = false
    /// `<input>,<min>,<opt>,<max>`, each.
    package var profiles: [String] = []
    /// Bytes.
    package var workspace: Int?
    package var key: String?
    package var isCompiled = false
    package var verifies = false
    package var maxDrop: Double?
    package var embedsPreprocessing = false
    package var preprocessing = Preprocessing()

    package init(model: String) { self.model = model }
}

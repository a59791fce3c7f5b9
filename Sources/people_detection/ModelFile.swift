private import Foundation

/// What a model's file says of its weights.
enum ModelFile {
    /// Whether it is OpenVINO's format with weights in INT8.
    static func holdsInt8(_ path: String) -> Bool {
        guard path.hasSuffix(".xml"),
            let text = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        else { return false }
        return text.range(of: Data("element_type=\"i8\"".utf8)) != nil
    }
}

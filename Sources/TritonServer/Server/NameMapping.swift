internal import Tensors
internal import TritonInterface

/// The models of a repository that are served under other names than their folders'.
enum NameMapping {
    /// - Parameter parameters: handles, as many as `count`: each has a folder for a name, and the model's name as text.
    /// - Returns: models' names by folder.
    static func read(
        _ parameters: UnsafeMutablePointer<OpaquePointer?>?, _ count: UInt32
    ) throws(HalcyonError) -> [String: String] {
        guard count > 0 else { return [:] }
        guard let parameters else {
            throw HalcyonError(.invalidArgument, "'name_mapping' is NULL, expected \(count) parameters")
        }
        var names: [String: String] = [:]
        for index in 0..<Int(count) {
            let parameter: ParameterObject = try Handles.object(parameters[index], "name_mapping[\(index)]")
            guard let name = parameter.string else {
                throw HalcyonError(
                    .invalidArgument, "the mapping of '\(parameter.name)' is no text, expected the name of a model")
            }
            guard names.updateValue(name, forKey: parameter.name) == nil else {
                throw HalcyonError(.invalidArgument, "there are two mappings of the folder '\(parameter.name)'")
            }
        }
        return names
    }
}

internal import Tensors
internal import TritonInterface

/// The models of a repository that are served under other names than their folders'.
enum NameMapping {
    /// - Parameters:
    ///   - parameters: handles, as many as `count`: each has a folder for a name, and the model's name as text.
    ///   - repository: whose models they are, for errors.
    /// - Returns: folders by the models' names.
    static func read(
        _ parameters: UnsafeMutablePointer<OpaquePointer?>?, _ count: UInt32, repository: String
    ) throws(HalcyonError) -> [String: String] {
        guard count > 0 else { return [:] }
        guard let parameters else {
            throw HalcyonError(.invalidArgument, "'name_mapping' is NULL, expected \(count) parameters")
        }
        var folders: [String: String] = [:]
        for index in 0..<Int(count) {
            let parameter: ParameterObject = try Handles.object(parameters[index], "name_mapping[\(index)]")
            guard let name = parameter.string else {
                throw HalcyonError(
                    .invalidArgument, "the mapping of '\(parameter.name)' is no text, expected the name of a model")
            }
            guard folders.updateValue(parameter.name, forKey: name) == nil else {
                throw HalcyonError(
                    .invalidArgument,
                    "failed to register '\(repository)', there is a conflicting mapping for '\(name)'")
            }
        }
        return folders
    }
}

internal import ModelConfigurations
internal import Tensors

/// The files with what the sequences of a model begin with.
enum InitialStates {
    /// - Parameters:
    ///   - directory: the model's folder; the files lie in its folder `initial_state`.
    ///   - followsLinks: whether links in that folder may lead out of it.
    /// - Returns: their bytes, by the state's input.
    /// - Throws: `unsupported` for a file outside of the folder; `internal` for one that can't be read.
    static func read(
        _ sequences: SequenceBatching, directory: String, followsLinks: Bool = false
    ) throws(HalcyonError) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for state in sequences.states {
            guard let file = state.initial?.file else { continue }
            let folder = try FileSystem.realPath("\(directory)/initial_state")
            let path = try followsLinks ? "\(folder)/\(file)" : FileSystem.confine("\(folder)/\(file)", to: folder)
            files[state.inputName] = try FileSystem.read(path, most: 1 << 30)
        }
        return files
    }

    /// Compares the sizes of the files with the shapes of the states.
    ///
    /// - Throws: `invalidArgument` for one that does not fit, and as ``read(_:directory:followsLinks:)``.
    static func check(
        _ sequences: SequenceBatching, _ configuration: ModelConfiguration, directory: String,
        followsLinks: Bool = false
    ) throws(HalcyonError) {
        let files = try read(sequences, directory: directory, followsLinks: followsLinks)
        for state in sequences.states {
            guard let file = files[state.inputName], let initial = state.initial, state.elementType != .bytes else {
                continue
            }
            let expected = try initial.dimensions.byteCount(of: state.elementType)
            // As many bytes as it takes are taken: more may stand there.
            guard file.count >= expected else {
                throw HalcyonError(
                    .invalidArgument,
                    "model '\(configuration.name)', the initial state of '\(state.inputName)': its file has "
                        + "\(file.count) bytes, and \(state.elementType.rawValue) of \(initial.dimensions) takes "
                        + "\(expected)"
                )
            }
        }
    }
}

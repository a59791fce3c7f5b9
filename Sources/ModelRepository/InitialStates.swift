internal import ModelConfiguration
internal import Tensors

/// The files with what the sequences of a model begin with.
enum InitialStates {
    /// - Parameter directory: the model's folder; the files lie in its folder `initial_state`.
    /// - Returns: their bytes, by the state's input.
    /// - Throws: `unsupported` for a file outside of the folder; `internal` for one that can't be read.
    static func read(_ sequences: SequenceBatching, directory: String) throws(HalcyonError) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for state in sequences.states {
            guard let file = state.initial?.file else { continue }
            let folder = try FileSystem.realPath("\(directory)/initial_state")
            let path = try FileSystem.confine("\(folder)/\(file)", to: folder)
            files[state.inputName] = try FileSystem.read(path, most: 1 << 30)
        }
        return files
    }
}

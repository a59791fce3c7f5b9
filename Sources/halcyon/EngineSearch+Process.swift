internal import CPlatform
internal import ConversionCommand
internal import EngineSearch
internal import Glibc

extension EngineLocator {
    /// The search of this process.
    ///
    /// - Parameter named: what `--backend-directory` names.
    static func ofThisProcess(named: String?) -> EngineLocator {
        EngineLocator(
            named: named, flag: "--backend-directory FOLDER",
            ProcessSurroundings(
                variables: VariableList.read(halcyon_environment()), executable: path(realpath("/proc/self/exe", nil)),
                workingDirectory: path(getcwd(nil, 0)), userID: geteuid(), groupID: getegid()))
    }

    /// Takes over a path that the C library has made.
    private static func path(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

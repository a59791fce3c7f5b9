internal import EngineSearch
private import Foundation

extension EngineLocator {
    /// The search of this process.
    ///
    /// - Parameter named: the folder with the engines that the command line names.
    static func ofThisProcess(named: String?) -> EngineLocator {
        EngineLocator(
            named: named, flag: "-p FOLDER, with the engines in FOLDER/backends,",
            ProcessSurroundings(
                variables: ProcessInfo.processInfo.environment,
                executable: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path,
                workingDirectory: FileManager.default.currentDirectoryPath, userID: geteuid(), groupID: getegid()))
    }
}

/// What a process knows of itself, as far as the search for engines goes by it. Only executables ask the system for it.
package struct ProcessSurroundings: Sendable {
    /// Its variables.
    package var variables: [String: String]
    /// The absolute path of its program, with links followed; `nil` where it is not known.
    package var executable: String?
    /// The absolute path of the folder in which it runs; `nil` where that is gone.
    package var workingDirectory: String?
    /// The user as whom it acts, and the user's group.
    package var userID: UInt32
    package var groupID: UInt32

    package init(
        variables: [String: String], executable: String?, workingDirectory: String?, userID: UInt32, groupID: UInt32
    ) {
        self.variables = variables
        self.executable = executable
        self.workingDirectory = workingDirectory
        self.userID = userID
        self.groupID = groupID
    }
}

/// What the program was started as. Under the name `tritonserver` it serves: command lines of Triton's go on as they
/// are, without the word `serve`.
enum ProgramName {
    /// The arguments from the command's name on.
    ///
    /// - Parameter line: the whole command line, with the program's path.
    static func arguments(of line: [String]) -> [String] {
        let arguments = Array(line.dropFirst())
        guard line.first?.split(separator: "/").last == "tritonserver" else { return arguments }
        switch arguments.first {
        // Workers are started by the program's own path.
        case "worker": return arguments
        case "serve": return arguments
        default: return ["serve"] + arguments
        }
    }
}

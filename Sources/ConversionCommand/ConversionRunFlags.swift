internal import ArgumentParser
internal import ModelConversion
internal import ModelRuntime
internal import Tensors

/// With what means a conversion runs.
struct ConversionRunFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the Python environment, made on first use; ~/.cache/halcyon/convert by default.",
            valueName: "folder"))
    var environment: String?

    @Option(
        help: ArgumentHelp(
            "The Python, 3.10 to 3.14, that the environment is made with.", valueName: "program"))
    var python = "python3"

    @Option(
        name: [.customShort("w"), .customLong("workspace")],
        help: ArgumentHelp("For tensorrt: the bytes of memory that building may take.", valueName: "bytes"))
    var workspace: Int?

    /// - Parameter variables: those of the process.
    /// - Throws: `invalidArgument` where there is no folder for the environment.
    func options(_ variables: [String: String]) throws(HalcyonError) -> Conversion.Options {
        let folder: String
        if let environment { folder = environment } else { folder = try Self.standardFolder(variables) }
        var options = Conversion.Options(environment: folder, variables: variables)
        options.python = python
        options.threads = CPUBudget.detected().cores
        return options
    }

    private static func standardFolder(_ variables: [String: String]) throws(HalcyonError) -> String {
        if let cache = variables["XDG_CACHE_HOME"], cache.hasPrefix("/") { return "\(cache)/halcyon/convert" }
        if let home = variables["HOME"], home.hasPrefix("/") { return "\(home)/.cache/halcyon/convert" }
        throw HalcyonError(
            .invalidArgument, "HOME names no folder for the Python environment: say where with --environment FOLDER")
    }
}

internal import ArgumentParser

/// The command line. The one-letter flags are Triton's.
struct Flags: ParsableCommand {
    /// Where the tensors of a request live.
    enum Memory: String, ExpressibleByArgument, CaseIterable {
        case system
        case pinned
        case gpu

        /// In small letters or capitals.
        init?(argument: String) { self.init(rawValue: argument.lowercased()) }
    }

    /// Which models run in processes of their own.
    enum IsolationMode: String, ExpressibleByArgument, CaseIterable {
        case none
        case perModel = "per-model"
        case process

        /// In small letters or capitals.
        init?(argument: String) { self.init(rawValue: argument.lowercased()) }
    }

    static let configuration = CommandConfiguration(
        commandName: "people_detection",
        abstract: "Finds people in pictures by concurrent requests to an inference server in this process.",
        discussion: """
            Each request is a thread of its own, which decodes its picture, brings it to the model's size, asks the \
            server and reads the answer. The total inference time goes from the start of the threads to the end of the \
            last one. Boxes are drawn and saved after that.

            First comes a table for each repository, with a sentence on what its configuration brought about, then \
            what was found and the server's statistics. With several repositories the same requests run through one \
            after the other, and a table at the end compares them.
            """)

    @Option(
        name: .customShort("m"),
        help: ArgumentHelp(
            "Memory of the inputs and outputs: ordinary, page-locked, or a GPU's. The last two need a GPU.",
            valueName: "memory"))
    var memory = Memory.system

    @Flag(name: .customShort("v"), help: "Log what the server does, to standard error.")
    var isVerbose = false

    @Option(
        name: .customShort("r"),
        help: ArgumentHelp("A model repository; may be given several times.", valueName: "folder"))
    var repositories = ["Examples/people_detection/model_repository_1"]

    @Option(name: .customShort("t"), help: ArgumentHelp("Concurrent requests, 1 to 1024.", valueName: "count"))
    var threads = 2

    @Option(
        name: .customShort("s"),
        help: ArgumentHelp("Whether to save the pictures with the boxes: true or false.", valueName: "bool"))
    var savesOverlays = false

    @Option(
        name: .customShort("p"),
        help: ArgumentHelp(
            """
            The folder that holds backends/ with the engines' libraries. By default they are looked for beside the \
            program, in HALCYON_BACKENDS, in the user's and the system's data folders, and in .deps here.
            """, valueName: "folder"))
    var installation: String?

    @Option(help: "The model. By default peoplenet where it loads, else the first that does.")
    var model: String?

    @Option(name: .customLong("image"), help: "A JPEG or PNG picture; may be given several times: threads take turns.")
    var images = [".deps/images/bus.jpg"]

    @Option(name: .customLong("repeat"), help: "How many requests each thread makes, one after the other.")
    var repetitions = 1

    @Option(help: "The score from which a detection counts, 0 to 1.")
    var threshold: Float = 0.4

    @Option(help: "The folder for the pictures with the boxes; made if it is missing.")
    var outputDir = "out"

    @Option(
        help: ArgumentHelp(
            """
            Keep what was measured in this file, and compare with what earlier runs with the same requests have left \
            there.
            """, valueName: "file"))
    var results: String?

    @Flag(
        help: """
            Follow links that lead out of the model repositories, to a hub's cache or a shared disk for instance; \
            models are refused otherwise.
            """)
    var followLinks = false

    @Option(
        help: """
            Which models run in processes of their own: none for no model, whatever it says; per-model for those whose \
            configuration has the parameter isolation with process, or with per-instance for a process for each \
            instance; process for all but those whose parameter is none.
            """)
    var isolation = IsolationMode.perModel

    @Flag(help: "Print one JSON object on standard output and nothing else there.")
    var json = false

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("-t takes 1 to 1024 requests, got \(threads)")
        }
        guard (1...1_000_000).contains(repetitions) else {
            throw ValidationError("--repeat takes 1 to 1000000, got \(repetitions)")
        }
        guard (0...1).contains(threshold) else {
            throw ValidationError("--threshold takes 0 to 1, got \(threshold)")
        }
    }
}

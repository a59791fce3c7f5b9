internal import ArgumentParser
internal import Glibc
internal import ModelConversion
internal import Tensors

/// The command line of a conversion, which `halcyon convert` and `halcyon-convert` share.
package struct ConversionArguments: ParsableArguments {
    package static let abstract = "Makes a model ready for this machine."
    package static let discussion = """
        Reads ONNX, TensorFlow frozen graphs and saved models, TensorFlow Lite, OpenVINO IR and NVIDIA's encrypted \
        .etlt, and writes one file (-e), a version's folder (--output-version) or a whole model's folder with the \
        config.pbtxt that it is served with (--output-model). What is written appears in one step when it is complete.

        The one-letter flags are those of NVIDIA's tao-converter. One that means nothing for the target is accepted, \
        with a notice.

        The conversion runs in a Python environment of its own, which is made on first use.
        """

    @Argument(help: "The model: a file, or the folder of a TensorFlow saved model.")
    var model: String

    @OptionGroup(title: "What comes out") var result: ConversionFlags
    @OptionGroup(title: "Where it goes") var output: ConversionOutputFlags
    @OptionGroup(title: "INT8, and pictures as inputs") var pictures: ConversionPictureFlags
    @OptionGroup(title: "How it is done") var means: ConversionRunFlags

    package init() {}

    /// Converts, and says on standard error how far it is and what is wrong, and on standard output what came of it.
    ///
    /// - Parameter variables: those of the process.
    /// - Throws: the exit status: 1, or 130 after an interrupt.
    package func run(variables: [String: String]) throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            let options = try means.options(variables)
            let job = try ConversionJob(request)
            let interrupts = try Interrupts.ofThisProcess()
            let console = Console(isTerminal: isatty(STDERR_FILENO) == 1) { Self.say($0) }
            let lines = try Conversion(job, options: options, console: console, interrupts: interrupts).run()
            for line in lines { print(line) }
        } catch {
            let failure = HalcyonError(wrapping: error)
            Self.say("error: \(failure.message)\n")
            throw ExitCode(failure.code == .cancelled ? 130 : 1)
        }
    }

    private var request: ConversionRequest {
        var request = ConversionRequest(model: model)
        result.apply(to: &request)
        output.apply(to: &request)
        pictures.apply(to: &request)
        request.workspace = means.workspace
        return request
    }

    private static func say(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}

internal import CompiledModels
internal import Tensors

/// One run of `halcyon convert`: from a job that has passed every check to files in their place.
package struct Conversion {
    package struct Options: Sendable {
        /// The folder of the Python environment.
        package var environment: String
        /// The Python that the environment is made with: a path, or a name to look for in `PATH`.
        package var python = "python3"
        /// The variables of this process.
        package var variables: [String: String]
        /// The processors that the conversion may use.
        package var threads = 1

        package init(environment: String, variables: [String: String]) {
            self.environment = environment
            self.variables = variables
        }
    }

    private let job: ConversionJob
    private let options: Options
    private let console: Console
    private let interrupts: Interrupts

    package init(_ job: ConversionJob, options: Options, console: Console, interrupts: Interrupts = .none) {
        self.job = job
        self.options = options
        self.console = console
        self.interrupts = interrupts
    }

    /// - Returns: what it came to, line by line.
    /// - Throws: `HalcyonError`. Nothing is written then, and what was there before is as it was.
    package func run() throws -> [String] {
        let source = job.source
        console.say(
            "\(Files.lastName(source.path)): \(source.format.title), \(ConversionReport.megabytes(source.byteCount))")
        for notice in job.notices { console.say("notice: \(notice)") }
        let workspace = try Workspace(job.destination)
        defer { workspace.discard() }
        do {
            let lines =
                job.request.target == .tensorRT ? try runTensorRT(workspace) : try runWorker(workspace)
            console.end()
            console.say("converted in \(console.time)")
            return lines
        } catch {
            console.end(failed: true)
            throw error
        }
    }

    private func runWorker(_ workspace: Workspace) throws -> [String] {
        let result = try convert(workspace, packages)
        var files = result.files
        if let engine = result.engineVersion {
            files += try stamp(files, engineVersion: engine, in: workspace.output)
        }
        let configuration =
            job.destination.form == .model ? try ConfigurationWriter.text(job, result) : ""
        console.begin("writing")
        try interrupts.check()
        try workspace.publish(files, configuration: configuration)
        return ConversionReport.lines(job, result)
    }

    private func runTensorRT(_ workspace: Workspace) throws -> [String] {
        var model = job.source.path
        let builder = TensorRTBuilder(variables: options.variables, console: console, interrupts: interrupts)
        if job.source.format == .encrypted {
            let result = try convert(workspace, [.base, .onnx])
            guard let file = result.files.first(where: { $0 == "model.onnx" }) else {
                throw HalcyonError(.internal, "the converter did not write the decrypted model")
            }
            // Where the plan does not go.
            for name in result.files {
                try Files.rename("\(workspace.output)/\(name)", "\(workspace.scratch)/\(name)")
            }
            model = "\(workspace.scratch)/\(file)"
        }
        let name = job.destination.modelFile
        try builder.build(job, model: model, plan: "\(workspace.output)/\(name)", directory: workspace.scratch)
        console.begin("writing")
        try interrupts.check()
        try workspace.publish([name], configuration: "")
        return ["written: \(job.destination.path)"]
    }

    /// What the job needs of the environment.
    private var packages: [PythonEnvironment.Packages] {
        var packages: [PythonEnvironment.Packages] = [.base]
        if job.request.target == .onnx { packages.append(.onnx) }
        if job.request.precision == .int8 { packages.append(.int8) }
        return packages
    }

    private func convert(
        _ workspace: Workspace, _ packages: [PythonEnvironment.Packages]
    ) throws -> ConversionResult {
        let folder = try Files.absolutePath(options.environment)
        let environment = PythonEnvironment(
            folder: folder, interpreter: options.python, variables: options.variables, console: console,
            interrupts: interrupts)
        try environment.prepare(packages)
        let programs = try EmbeddedFiles.unpack(into: folder)
        let worker = Worker(
            python: environment.python, programs: programs, directory: workspace.scratch,
            variables: options.variables, console: console, interrupts: interrupts)
        do {
            return try worker.run(job.order(output: workspace.output, threads: options.threads))
        } catch let error as HalcyonError where error.code == .unavailable && error.message.contains(Self.decryption) {
            throw HalcyonError(
                error.code,
                "\(error.message). The command is '\(environment.python) -m pip install \(Self.decryption)'; "
                    + "--python chooses another Python for a new --environment")
        }
    }

    /// NVIDIA's package, which the user installs: its licence is between the two of them.
    private static let decryption = "nvidia-eff-tao-encryption"

    /// Lays a page beside each compiled model that says for which engine and processor it is.
    ///
    /// - Returns: the names of the pages.
    private func stamp(
        _ files: [String], engineVersion: String, in folder: String
    ) throws(HalcyonError) -> [String] {
        var pages: [String] = []
        for name in files where name.hasSuffix(".blob") {
            var sources: [String: FileChecksum] = [:]
            for other in files where other.hasSuffix(".xml") || other.hasSuffix(".bin") {
                sources[other] = try FileChecksum(ofFile: "\(folder)/\(other)")
            }
            let stamp = CompiledModelStamp(
                engineVersion: engineVersion, processor: .current,
                blob: try FileChecksum(ofFile: "\(folder)/\(name)"), sources: sources)
            let page = CompiledModelStamp.path(ofBlob: name)
            try Files.write(Array(stamp.text.utf8), to: "\(folder)/\(page)")
            pages.append(page)
        }
        return pages
    }
}

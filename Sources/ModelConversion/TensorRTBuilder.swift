internal import Tensors

/// Makes a plan with NVIDIA's `trtexec`, which comes with TensorRT and is on a machine or not.
struct TensorRTBuilder {
    var variables: [String: String]
    var console: Console
    var interrupts: Interrupts

    /// What of the flags can't be done with `trtexec`.
    static func check(_ job: ConversionJob, notices: inout [String]) throws(HalcyonError) {
        let request = job.request
        guard job.source.format == .onnx || job.source.format == .encrypted else {
            throw HalcyonError(
                .unsupported,
                "TensorRT reads ONNX only, and '\(request.model)' is \(job.source.format.title): convert it to ONNX "
                    + "first, with tf2onnx for instance")
        }
        if job.destination.form == .model {
            throw HalcyonError(
                .unsupported,
                "--output-model writes a config.pbtxt for an engine of Halcyon, and TensorRT is none: use -e or "
                    + "--output-version")
        }
        if request.layout == .nhwc {
            throw HalcyonError(
                .unsupported, "-i nhwc: trtexec does not change a model's layout; it takes what the ONNX file has")
        }
        if request.verifies || request.maxDrop != nil {
            throw HalcyonError(
                .unsupported, "--verify and --max-drop run the result, and a plan runs in TensorRT only, not here")
        }
        if let path = job.calibration, Files.kind(path) == .folder {
            throw HalcyonError(
                .unsupported,
                "-c \(request.calibration ?? ""): trtexec takes a calibration cache, a file, and no folder of pictures")
        }
        if request.isCompiled { notices.append("--compiled has no meaning: a plan is always compiled, for one GPU") }
        if !job.outputs.isEmpty { notices.append("-o has no meaning for trtexec: a plan's outputs go by their names") }
        if request.calibrationBatch != nil { notices.append("-b has no meaning for trtexec: the cache is calibrated") }
        // trtexec's lists of sizes have no way to write such a name.
        if let profile = sized(job).first(where: { $0.input.contains(where: { ":,".contains($0) }) }) {
            throw HalcyonError(
                .unsupported,
                "the input '\(profile.input)': trtexec separates names and sizes with ':' and ',', so an input of "
                    + "which it is given sizes can't have them in its name: rename it in the model")
        }
        let needsSizes = job.profiles.isEmpty && (!job.dimensions.isEmpty || request.maxBatch != nil)
        if needsSizes, job.source.format == .encrypted, job.source.container?.inputName.isEmpty == true,
            job.dimensions.contains(where: { $0.input.isEmpty })
        {
            notices.append("-d and -m have no meaning here: the input's name is not known yet; -p names it")
        }
    }

    /// - Parameters:
    ///   - model: the ONNX file.
    ///   - plan: the file to write.
    /// - Throws: `unavailable` where there is no `trtexec`, or with its last words.
    func build(_ job: ConversionJob, model: String, plan: String, directory: String) throws {
        guard let program = ProgramSearch.find("trtexec", variables: variables) else {
            throw HalcyonError(
                .unavailable,
                "there is no program 'trtexec' in PATH, which --target tensorrt needs: install NVIDIA TensorRT "
                    + "(Debian package 'libnvinfer-bin' of NVIDIA's repository, in /usr/src/tensorrt/bin) on the "
                    + "machine with the GPU")
        }
        console.begin("building a plan with \(program)")
        var last = LastWords()
        let child = ChildProcess(
            executable: program, arguments: Self.arguments(job, model: model, plan: plan), environment: variables,
            directory: directory)
        let ending = try child.run(interrupts: interrupts) { _, line in
            last.add(line)
            if line.contains("[E]") || line.contains("[W]") { console.say("  " + line) }
        }
        guard ending == .exited(0), Files.kind(plan) == .file else {
            throw HalcyonError(
                .unavailable, "trtexec made no plan (\(ending)): \(last.text(or: "it said nothing"))")
        }
    }

    static func arguments(_ job: ConversionJob, model: String, plan: String) -> [String] {
        let request = job.request
        var arguments = ["--onnx=\(model)", "--saveEngine=\(plan)", "--skipInference"]
        if request.precision != .fp32 { arguments.append("--\(request.precision.rawValue)") }
        if request.precision == .int8, let cache = job.calibration { arguments.append("--calib=\(cache)") }
        if let workspace = request.workspace { arguments.append("--memPoolSize=workspace:\(workspace)B") }
        let profiles = sized(job)
        guard !profiles.isEmpty else { return arguments }
        func sizes(_ flag: String, _ path: KeyPath<ShapeProfile, [Int]>) -> String {
            let list = profiles.map { profile in
                "\(profile.input):\(profile[keyPath: path].map(String.init).joined(separator: "x"))"
            }
            return "--\(flag)=\(list.joined(separator: ","))"
        }
        return arguments + [
            sizes("minShapes", \.minimum), sizes("optShapes", \.optimum), sizes("maxShapes", \.maximum),
        ]
    }

    private static func sized(_ job: ConversionJob) -> [ShapeProfile] {
        job.profiles.isEmpty ? profiles(job) : job.profiles
    }

    /// The sizes that `-d` and `-m` mean, for the inputs whose batch is open.
    private static func profiles(_ job: ConversionJob) -> [ShapeProfile] {
        let largest = job.request.maxBatch ?? 16
        guard largest > 0 else { return [] }
        let inputs = job.source.inputs ?? []
        return inputs.compactMap { input in
            guard let declared = input.dimensions, declared.first == TensorShape.variable else { return nil }
            let given = job.dimensions.first { $0.input == input.name || $0.input.isEmpty }?.sizes
            let item = given ?? Array(declared.dropFirst())
            guard item.allSatisfy({ $0 > 0 }), item.count == declared.count - 1 else { return nil }
            return ShapeProfile(
                input: input.name, minimum: [1] + item, optimum: [max(1, largest / 2)] + item, maximum: [largest] + item
            )
        }
    }
}

private import Glibc
internal import Tensors

/// The Python environment that conversions run in: a folder of its own, with packages pinned by version and checksum.
///
/// It is made on first use, and grows by what a job needs. Each list of packages that is complete has a stamp, which is
/// written last; a folder without its stamps was left by an interrupted set-up and is made again.
struct PythonEnvironment {
    /// A list of packages: `requirements_<name>.txt`.
    enum Packages: String, CaseIterable {
        case base
        case onnx
        case int8

        var file: String { "requirements_\(rawValue).txt" }

        var title: String {
            switch self {
            case .base: "OpenVINO, ONNX and numpy, about 100 MB"
            case .onnx: "ONNX Runtime, about 20 MB"
            case .int8: "NNCF, which quantises, and what it needs, about 100 MB"
            }
        }
    }

    /// Absolute.
    let folder: String
    /// The interpreter that it is made with: a path, or a name that is looked for in `PATH`.
    let interpreter: String
    /// The variables of this process.
    let variables: [String: String]
    let console: Console
    let interrupts: Interrupts
    /// The text of each list.
    var requirements: (Packages) -> [UInt8] = { EmbeddedFiles.bytes($0.file) ?? [] }

    /// The versions of Python that the lists are pinned for.
    static let minors = 10...14

    private var venv: String { "\(folder)/python" }
    /// The environment's interpreter.
    var python: String { "\(venv)/bin/python" }

    /// Makes what is missing.
    ///
    /// - Throws: `unavailable` with what to install or to do; `invalidArgument` for a folder that is not the user's
    ///   alone; `cancelled`.
    func prepare(_ wanted: [Packages]) throws {
        try Files.makeFolders(folder, mode: 0o700)
        try checkOwner()
        let lock = try FolderLock(folder, console: console, interrupts: interrupts)
        defer { lock.release() }
        if wanted.allSatisfy(isComplete) { return }
        if !isUsable {
            if Files.ownKind(venv) != nil {
                console.say("the Python environment is incomplete or out of date: made anew")
            }
            try make()
        }
        for packages in wanted where !isComplete(packages) { try install(packages) }
    }

    /// What lies in the folder runs as the user, so nobody else may put anything there.
    private func checkOwner() throws(HalcyonError) {
        var status = stat()
        guard stat(folder, &status) == 0 else { throw Files.failure("find", folder, errno) }
        guard status.st_uid == geteuid() else {
            throw HalcyonError(
                .invalidArgument,
                "--environment \(folder): the folder belongs to user \(status.st_uid), who could put programs there "
                    + "that would run as user \(geteuid()): name a folder of your own")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw HalcyonError(
                .invalidArgument,
                "--environment \(folder): others may write there, and what lies there runs as you. If all that is in "
                    + "it is yours: chmod 700 '\(folder)'")
        }
    }

    // MARK: Stamps

    private func stamp(_ packages: Packages) -> String { "\(folder)/\(packages.rawValue).stamp" }

    /// Made before a list is installed, and removed when its stamp is there.
    private var mark: String { "\(folder)/installing" }

    private func isComplete(_ packages: Packages) -> Bool {
        Files.isExecutable(python) && Files.ownKind(mark) == nil
            && Files.text(stamp(packages)).map { Array($0.utf8) } == requirements(packages)
    }

    /// Whether lists can be added to what is there: it is whole, and none of its lists is out of date.
    private var isUsable: Bool {
        isComplete(.base) && Packages.allCases.allSatisfy { Files.ownKind(stamp($0)) == nil || isComplete($0) }
    }

    // MARK: Making

    private func make() throws {
        for packages in Packages.allCases { Files.removeTree(stamp(packages)) }
        Files.removeTree(mark)
        Files.removeTree(venv)
        let program = try findInterpreter()
        console.begin("making a Python environment in \(folder)")
        try checkInterpreter(program)
        try run(
            program, ["-m", "venv", venv],
            otherwise: "the Python environment '\(venv)' can't be made", hint: "is there room, and may it be written?")
    }

    private func findInterpreter() throws(HalcyonError) -> String {
        guard let path = ProgramSearch.find(interpreter, variables: variables) else {
            throw HalcyonError(
                .unavailable,
                "there is no program '\(interpreter)', and conversions need Python 3.\(Self.minors.lowerBound) to "
                    + "3.\(Self.minors.upperBound): install python3 and python3-venv (Debian: apt-get install "
                    + "python3-venv), or name another with --python")
        }
        return path
    }

    /// Asks for its version, and for what makes environments, which Debian keeps in a package of its own.
    private func checkInterpreter(_ program: String) throws {
        var version = ""
        let question = "import sys; print('python', *sys.version_info[:2])\nimport ensurepip, venv"
        let ending = try child(program, ["-c", question]).run(interrupts: interrupts) { stream, line in
            if stream == .output, line.hasPrefix("python ") { version = line }
        }
        let numbers = version.split(separator: " ").dropFirst().compactMap { Int($0) }
        guard numbers.count == 2 else {
            throw HalcyonError(.unavailable, "'\(program)' is no Python that answers: name another with --python")
        }
        guard numbers[0] == 3, Self.minors.contains(numbers[1]) else {
            throw HalcyonError(
                .unavailable,
                "'\(program)' is Python \(numbers[0]).\(numbers[1]), and the packages are pinned for "
                    + "3.\(Self.minors.lowerBound) to 3.\(Self.minors.upperBound): name another with --python")
        }
        guard ending == .exited(0) else {
            throw HalcyonError(
                .unavailable,
                "'\(program)' can't make environments: install python3-venv (Debian: apt-get install python3-venv)")
        }
    }

    private func install(_ packages: Packages) throws {
        console.begin("installing \(packages.title) (once)")
        try Files.write([], to: mark)
        let list = "\(folder)/\(packages.file)"
        let text = requirements(packages)
        try Files.write(text, to: list)
        // Each package has a line with its version.
        let count = String(decoding: text, as: UTF8.self).split(separator: "\n").count { $0.contains("==") }
        var collected = 0
        try run(
            python,
            [
                "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:",
                "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--requirement", list,
            ],
            otherwise: "the packages of \(packages.file) can't be installed",
            hint: "where the network or the disk was the cause, run the same command again when it is gone"
        ) { line in
            guard line.hasPrefix("Collecting ") else { return }
            collected += 1
            console.progress(done: min(collected, count), total: count)
        }
        let draft = stamp(packages) + ".draft"
        try Files.write(requirements(packages), to: draft)
        try Files.rename(draft, stamp(packages))
        Files.removeTree(mark)
        Files.removeTree(list)
    }

    /// Runs a step of the set-up. Its last words are in the error.
    ///
    /// - Parameter line: is called with each line of what it says.
    private func run(
        _ program: String, _ arguments: [String], otherwise: String, hint: String, line: (String) -> Void = { _ in }
    ) throws {
        var last = LastWords()
        let ending = try child(program, arguments).run(interrupts: interrupts) { _, text in
            last.add(text)
            line(text)
        }
        guard ending != .exited(0) else { return }
        let how =
            switch ending {
            case .exited(let status): "exit status \(status)"
            case .killed(let signal): "signal \(signal)"
            }
        throw HalcyonError(.unavailable, "\(otherwise) (\(how)): \(last.text(or: "it said nothing")); \(hint)")
    }

    private func child(_ program: String, _ arguments: [String]) -> ChildProcess {
        ChildProcess(
            executable: program, arguments: arguments, environment: Self.settings(variables), directory: folder)
    }

    /// The variables that a program of the environment gets: those of this process, less those that lead Python to
    /// packages from elsewhere.
    static func settings(_ variables: [String: String]) -> [String: String] {
        var settings = variables
        for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"] {
            settings[name] = nil
        }
        settings["PYTHONNOUSERSITE"] = "1"
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
        settings["PYTHONUNBUFFERED"] = "1"
        settings["PYTHONUTF8"] = "1"
        return settings
    }
}

private import CPlatform
private import Glibc
internal import ModelRuntime
internal import Tensors

/// The main function of a worker process.
package enum WorkerMain {
    /// What a command line of a worker begins with, behind the program's name.
    package static let command = "worker"

    /// Serves the server that started this process, and ends the process when that is gone.
    ///
    /// - Parameter backends: makes what the server has.
    package static func run(backends: @escaping WorkerService.Backends) -> Never {
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        guard fstat(control, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            let complaint = Array("error: '\(command)' is what a server starts for a model, not by hand\n".utf8)
            _ = write(STDERR_FILENO, complaint, complaint.count)
            exit(2)
        }
        _ = halcyon_die_with_parent()
        _ = fcntl(control, F_SETFD, FD_CLOEXEC)
        WorkerService(control: FrameChannel(control), backends: backends, watch: .process, enclose: enclose).run()
        // What an engine does at its end is of no interest to anybody.
        _exit(0)
    }

    /// Descriptor of the control channel.
    private static let control: Int32 = 3

    /// Keeps the process to its processors, and to the files and calls of its sandbox.
    private static func enclose(_ settings: WorkerSettings) -> [String] {
        var lacking: [String] = []
        if !settings.processors.isEmpty {
            do {
                try HostPolicy(cores: Set(settings.processors)).apply()
            } catch {
                lacking.append(error.message)
            }
        }
        guard let sandbox = settings.sandbox else { return lacking }
        func note(_ failure: Int32, _ what: String) {
            if failure != 0 { lacking.append("\(what): \(String(cString: strerror(failure)))") }
        }
        note(halcyon_sandbox_begin(), "new privileges can't be given up")
        let files = withPaths(sandbox.readable) { readable in
            withPaths(sandbox.writable) { halcyon_sandbox_files(readable, $0) }
        }
        note(files, "the system keeps no process to some files (Landlock)")
        note(halcyon_sandbox_calls(), "the system takes no calls away from a process (seccomp)")
        return lacking
    }

    private static func withPaths<Result>(
        _ paths: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let copies = paths.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}

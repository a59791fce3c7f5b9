internal import COpenVINO
internal import CompiledModels
private import Glibc
internal import LibraryFiles
internal import Tensors

/// A compiled model as it lies in a file, `model.blob`, after it was found to be whole and made by this engine for this
/// processor.
final class CompiledModelFile: @unchecked Sendable {
    let path: String
    /// Never changed after it was read. The engine takes the weights from right here and copies nothing, so they lie as
    /// its own would, and this object lives as long as the model that was made of it.
    private let content: UnsafeMutableRawBufferPointer

    private static let alignment = 4096

    /// Reads the file, and compares it with the page beside it.
    ///
    /// - Throws: `unavailable` or `notFound` with the reason why it can't be used.
    init(
        path: String, engineVersion: String, processor: ProcessorIdentity = .current
    ) throws(HalcyonError) {
        self.path = path
        let stamp = try CompiledModelStamp(besideBlob: path)
        if let complaint = stamp.complaint(engineVersion: engineVersion, processor: processor) {
            throw HalcyonError(.unavailable, "'\(path)' is not for this machine: \(complaint)")
        }
        var status = Glibc.stat()
        guard stat(path, &status) == 0, status.st_size == stamp.blob.byteCount, status.st_size > 0 else {
            throw HalcyonError(
                .unavailable,
                "'\(path)' is damaged: it has \(status.st_size) bytes, and \(stamp.blob.byteCount) were compiled")
        }
        content = .allocate(byteCount: stamp.blob.byteCount, alignment: Self.alignment)
        try read(byteCount: stamp.blob.byteCount)
        // What is compared is what the engine gets: the file may change meanwhile.
        guard FileChecksum(of: UnsafeRawBufferPointer(content)) == stamp.blob else {
            throw HalcyonError(.unavailable, "'\(path)' is damaged: its bytes are not those that were compiled")
        }
        try Self.checkSources(stamp, beside: path)
    }

    deinit { content.deallocate() }

    /// The model that a compiled one was made of and that lies beside it, or `nil`.
    static func source(beside path: String) -> String? {
        guard path.hasSuffix(".blob") else { return nil }
        let source = path.dropLast("blob".count) + "xml"
        return access(String(source), R_OK) == 0 ? String(source) : nil
    }

    /// Brings the model into the engine.
    ///
    /// The engine takes the settings of an imported model from the core that imports it, and not from the file or the
    /// call: so each gets a core of its own.
    func load(_ runtime: Runtime, settings: [String: String]) throws(HalcyonError) -> Handle {
        let library = runtime.library
        let functions = library.functions
        let core = try runtime.anotherCore()
        // Nothing is compiled, so there is nothing to keep.
        let settings = settings.filter { $0.key != "CACHE_DIR" }
        if !settings.isEmpty {
            let status = EngineProperties.withCProperties(settings) {
                functions.ov_core_set_properties(core.pointer, "CPU", $0.count, $0.baseAddress)
            }
            try library.check(status, code: .invalidArgument, "OpenVINO does not take the settings")
        }
        let model = try library.make(
            code: .unavailable, memory: self, free: functions.ov_compiled_model_free,
            "OpenVINO can't take over '\(path)'"
        ) { result in
            guard let start = content.baseAddress else { return Library.wrongParameter }
            return functions.ov_core_import_model(
                core.pointer, start.assumingMemoryBound(to: CChar.self), content.count, "CPU", result)
        }
        library.keepOpen()
        return model
    }

    // MARK: Reading

    /// The source may be gone, but where it is there it must be the one that was compiled.
    private static func checkSources(_ stamp: CompiledModelStamp, beside path: String) throws(HalcyonError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for (name, expected) in stamp.sources.sorted(by: { $0.key < $1.key }) {
            let file = "\(folder)/\(name)"
            guard access(file, F_OK) == 0 else { continue }
            guard try FileChecksum(ofFile: file) == expected else {
                throw HalcyonError(
                    .unavailable, "'\(path)' is out of date: it was not compiled from the '\(name)' beside it")
            }
        }
    }

    /// Fills ``content``.
    private func read(byteCount: Int) throws(HalcyonError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw HalcyonError(.notFound, "'\(path)' can't be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var done = 0
        while done < byteCount {
            let count = Glibc.read(descriptor, content.baseAddress.map { $0 + done }, byteCount - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw HalcyonError(
                    .unavailable,
                    "'\(path)' can't be read: "
                        + (count < 0 ? String(cString: strerror(errno)) : "it ends after \(done) bytes"))
            }
            done += count
        }
    }
}

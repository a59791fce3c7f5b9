/// What a worker is told of the server's settings, so that it makes the same engines.
package struct WorkerSettings: Hashable, Sendable {
    /// The folders that hold an engine's libraries, by the engine's name; the first that has them counts.
    package var engineDirectories: [String: [String]] = [:]
    /// The folder with the folders of backends; empty for none.
    package var backendDirectory = ""
    /// Settings of an engine, by its name: as ``ServerOptions/backendConfiguration``.
    package var backendConfiguration: [String: [String: String]] = [:]
    /// Whether backends may lie with their models.
    package var allowsModelBackends = false
    /// Processors that engines count on where all models share their threads.
    package var cores = 1
    /// GPUs below this compute capability are not used.
    package var minimumComputeCapability = 6.0
    /// Bytes of page-locked memory that are kept for copies.
    package var pinnedBytes = 0
    /// Processors that the whole worker is kept to; empty for all.
    package var processors: [Int] = []
    /// The least severe of the log's lines that are wanted.
    package var logLevel = "info"
    /// Bytes of outputs that one instance may have in shared memory at a time.
    package var outputBytes = 1 << 30
    /// What it may read and write; `nil` for what its user may.
    package var sandbox: SandboxPaths?

    /// Files that a worker is left.
    package struct SandboxPaths: Hashable, Sendable {
        package var readable: [String] = []
        package var writable: [String] = []

        package init() {}
    }

    package init() {}

    func write(to writer: inout WireWriter) {
        writer.list(engineDirectories.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            writer.list(entry.value) { $0.text($1) }
        }
        writer.text(backendDirectory)
        writer.list(backendConfiguration.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            writer.table(entry.value)
        }
        writer.flag(allowsModelBackends)
        writer.number(UInt32(clamping: cores))
        writer.number(minimumComputeCapability.bitPattern)
        writer.number(UInt64(clamping: pinnedBytes))
        writer.list(processors) { $0.number(UInt32(clamping: $1)) }
        writer.text(logLevel)
        writer.number(UInt64(clamping: outputBytes))
        writer.optional(sandbox) { writer, paths in
            writer.list(paths.readable) { $0.text($1) }
            writer.list(paths.writable) { $0.text($1) }
        }
    }

    static func read(_ reader: inout WireReader) throws(ProtocolFault) -> WorkerSettings {
        var settings = WorkerSettings()
        let directories = try reader.list { reader throws(ProtocolFault) in
            (try reader.text(), try reader.list { reader throws(ProtocolFault) in try reader.text() })
        }
        settings.engineDirectories = Dictionary(directories, uniquingKeysWith: { first, _ in first })
        settings.backendDirectory = try reader.text()
        let configuration = try reader.list { reader throws(ProtocolFault) in (try reader.text(), try reader.table()) }
        settings.backendConfiguration = Dictionary(configuration, uniquingKeysWith: { first, _ in first })
        settings.allowsModelBackends = try reader.flag()
        settings.cores = Int(try reader.number(UInt32.self))
        settings.minimumComputeCapability = Double(bitPattern: try reader.number())
        settings.pinnedBytes = try reader.count()
        settings.processors = try reader.list { reader throws(ProtocolFault) in Int(try reader.number(UInt32.self)) }
        settings.logLevel = try reader.text()
        settings.outputBytes = try reader.count()
        settings.sandbox = try reader.optional { reader throws(ProtocolFault) in
            var paths = SandboxPaths()
            paths.readable = try reader.list { reader throws(ProtocolFault) in try reader.text() }
            paths.writable = try reader.list { reader throws(ProtocolFault) in try reader.text() }
            return paths
        }
        return settings
    }
}

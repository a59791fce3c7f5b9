private import Glibc
internal import LibraryFiles
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// Where a model's backend is.
struct BackendPlace: Hashable, Sendable {
    /// The backend's name.
    var name: String
    /// The folder with its files.
    var folder: String
    /// The library that runs it: for a backend in Python, that of the Python backend.
    var library: String
    /// The folder with the folders of all backends.
    var backendDirectory: String
}

/// Finds the library of a model's backend. The order is Triton's: the version's folder, the model's and the backend's,
/// where the operator allows the first two.
struct BackendSearch: Sendable {
    static let pythonLibrary = "libtriton_python.so"
    private static let pythonFile = "model.py"

    private let options: TritonBackend.Options

    init(_ options: TritonBackend.Options) { self.options = options }

    /// Whether a library is that of the Python backend.
    static func isPython(library: String) -> Bool { library.hasSuffix("/\(pythonLibrary)") }

    /// Whether a folder is a backend's by what is in it: one that has other libraries only, `cuda` for instance, is no
    /// backend unless a configuration's `runtime` says so.
    var findsUsual: Bool {
        options.folders.contains { folder in
            LibraryFolder.fileNames(in: folder).contains {
                $0.hasPrefix("libtriton_") && $0.hasSuffix(".so") || $0 == Self.pythonFile
            }
        }
    }

    /// Whether there is anything that may be one.
    var findsAny: Bool {
        options.allowsModelFolders
            || options.folders.contains { folder in
                LibraryFolder.fileNames(in: folder).contains {
                    $0.hasSuffix(".so") || $0 == Self.pythonFile && pythonLibraryPath != nil
                }
            }
    }

    /// - Throws: `unavailable` where there is none: which file was looked for, in which folders, and what brings it.
    func place(for source: ModelSource) throws(HalcyonError) -> BackendPlace {
        let name = options.name == ModelBackends.name ? source.configuration.backend : options.name
        let runtime = source.configuration.runtime
        let wanted = runtime.isEmpty ? "libtriton_\(name).so" : runtime
        let own = ["\(source.modelDirectory)/\(source.version)", source.modelDirectory]
        if wanted != Self.pythonFile {
            for folder in (options.allowsModelFolders ? own : []) + options.folders where Self.has(wanted, in: folder) {
                return place(name, in: folder, library: "\(folder)/\(wanted)")
            }
        }
        // A backend in Python is a model of the Python backend's, with its files beside it.
        let python = runtime.isEmpty || wanted == Self.pythonFile ? Self.pythonFile : nil
        let folder = python.flatMap { file in options.folders.first { Self.has(file, in: $0) } }
        guard let folder else {
            throw absence(of: wanted, name, own, isNamed: !runtime.isEmpty)
        }
        guard let library = pythonLibraryPath else {
            throw HalcyonError(
                .unavailable,
                "the backend '\(name)' is written in Python (\(folder)/\(Self.pythonFile)) and needs the Python "
                    + "backend: \(Self.pythonLibrary) was looked for in \(Self.list(options.pythonFolders))")
        }
        return place(name, in: folder, library: library)
    }

    private func place(_ name: String, in folder: String, library: String) -> BackendPlace {
        // The folder of a model is no backend's: its parent holds models.
        let isOwn = options.folders.contains(folder)
        let directory = isOwn ? Self.parent(of: Self.parent(of: library)) : options.backendDirectory
        return BackendPlace(name: name, folder: folder, library: library, backendDirectory: directory)
    }

    /// Whether what is found for every model without a `runtime` is Triton's Python backend, or a backend that is
    /// written in Python: not where a model may have a library of its own.
    var runsPython: Bool {
        guard !options.allowsModelFolders else { return false }
        let hasLibrary = options.folders.contains { Self.has("libtriton_\(options.name).so", in: $0) }
        // The Python backend itself has a library of the usual name; that of any other backend comes before its file.
        guard options.name != "python" else { return hasLibrary }
        return !hasLibrary && options.folders.contains { Self.has(Self.pythonFile, in: $0) }
    }

    private var pythonLibraryPath: String? {
        options.pythonFolders.first { Self.has(Self.pythonLibrary, in: $0) }.map { "\($0)/\(Self.pythonLibrary)" }
    }

    private func absence(of file: String, _ name: String, _ own: [String], isNamed: Bool) -> HalcyonError {
        let isOfModels = options.name == ModelBackends.name
        let places = options.places.isEmpty ? options.folders : options.places
        let all = (options.allowsModelFolders ? own : []) + places.map { isOfModels ? "\($0)/\(name)" : $0 }
        var text =
            isNamed
            ? "the backend '\(name)' has no file '\(file)', which the configuration's 'runtime' names: it"
            : "the backend '\(name)' is not installed: \(file)"
        text += " was looked for in \(Self.list(all))"
        if !options.allowsModelFolders, let folder = own.first(where: { Self.has(file, in: $0) }),
            file != Self.pythonFile
        {
            text +=
                "; '\(folder)/\(file)' was not looked at, as it is code: --allow-model-backends has it loaded"
        }
        return HalcyonError(.unavailable, text + (options.advice.isEmpty ? "" : "; \(options.advice)"))
    }

    private static func list(_ folders: [String]) -> String {
        folders.isEmpty ? "no folder" : folders.joined(separator: ", ")
    }

    private static func has(_ file: String, in folder: String) -> Bool { access("\(folder)/\(file)", R_OK) == 0 }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// A folder that may hold engines, each in a folder of its own: `openvino/`, `onnxruntime/`.
package struct EnginePlace: Hashable, Sendable {
    /// Why it is looked at.
    package enum Origin: Hashable, Sendable {
        /// Somebody has named it on the command line.
        case named
        /// It lies beside the program.
        case executable
        /// `HALCYON_BACKENDS` names it.
        case variable
        case userData
        case systemData
        case workingDirectory

        package var reason: String {
            switch self {
            case .named: "as the command line says"
            case .executable: "beside the program"
            case .variable: "in HALCYON_BACKENDS"
            case .userData: "in the user's data folder"
            case .systemData: "in the system's data folder"
            case .workingDirectory: "in .deps of the working folder"
            }
        }
    }

    package var path: String
    package var origin: Origin

    package init(_ path: String, _ origin: Origin) {
        self.path = path
        self.origin = origin
    }

    /// Whether somebody who may decide it has named the place: then it is not asked whose it is.
    var isChosen: Bool { origin == .named || origin == .variable }

    /// All places, in the order in which they are looked at.
    ///
    /// - Parameter named: the one that the command line names; there is no other then.
    package static func all(named: String?, _ surroundings: ProcessSurroundings) -> [EnginePlace] {
        if let named { return [EnginePlace(named, .named)] }
        var places: [EnginePlace] = []
        func add(_ path: String, _ origin: Origin) {
            if !places.contains(where: { $0.path == path }) { places.append(EnginePlace(path, origin)) }
        }
        if let folder = surroundings.executable.flatMap(parent) {
            if let above = parent(folder) { add(above == "/" ? "/backends" : "\(above)/backends", .executable) }
            add(folder == "/" ? "/backends" : "\(folder)/backends", .executable)
        }
        for path in (surroundings.variables["HALCYON_BACKENDS"] ?? "").split(separator: ":") {
            if path.hasPrefix("/") {
                add(String(path), .variable)
            } else if let working = surroundings.workingDirectory {
                add("\(working)/\(path)", .variable)
            }
        }
        if let data = absolute(surroundings.variables["XDG_DATA_HOME"]) {
            add("\(data)/halcyon/backends", .userData)
        } else if let home = absolute(surroundings.variables["HOME"]) {
            add("\(home)/.local/share/halcyon/backends", .userData)
        }
        for folder in ["/usr/local/share", "/usr/share", "/usr/local/lib", "/usr/lib"] {
            add("\(folder)/halcyon/backends", .systemData)
        }
        if let working = surroundings.workingDirectory { add("\(working)/.deps/backends", .workingDirectory) }
        return places
    }

    /// What is empty or relative counts as not set.
    private static func absolute(_ path: String?) -> String? {
        guard var path, path.hasPrefix("/") else { return nil }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func parent(_ path: String) -> String? {
        guard path != "/", let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

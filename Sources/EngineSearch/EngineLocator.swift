private import LibraryFiles

/// Looks for the folders that hold the libraries of engines, where the command line names none.
///
/// The order is: beside the program, `HALCYON_BACKENDS`, the user's data folder, the system's, and `.deps/backends` of
/// the working folder. Each engine is looked for by itself. What nobody has named is used only if it belongs to the
/// user or to root, as do the folders above it, and nobody else may write there: a library runs as whoever loads it.
package struct EngineLocator: Sendable {
    private let places: [EnginePlace]
    private let surroundings: ProcessSurroundings
    private let flag: String

    /// - Parameters:
    ///   - named: the folder that the command line names, which is then the only one.
    ///   - flag: what names it there, with its value, for people: `--backend-directory FOLDER`.
    package init(named: String?, flag: String, _ surroundings: ProcessSurroundings) {
        places = EnginePlace.all(named: named, surroundings)
        self.surroundings = surroundings
        self.flag = flag
    }

    /// The folders that are looked at.
    package var folders: [String] { places.map(\.path) }

    /// Looks for an engine.
    ///
    /// - Parameter engine: the name of its folder, `openvino` for instance.
    package func look(for engine: String) -> EngineFinding {
        EngineFinding(engine: engine, flag: flag, looks: places.map { look(at: $0, for: engine) })
    }

    private func look(at place: EnginePlace, for engine: String) -> EngineFinding.Look {
        let folder = "\(place.path)/\(engine)"
        // The folder itself and not a name for it, which could be another's by the time the library is loaded.
        guard let path = LibraryFolder.realPath(folder) else {
            return .init(place: place, folder: folder, outcome: .absent)
        }
        guard LibraryFolder.fileNames(in: path).contains(where: Self.isBackend) else {
            return .init(place: place, folder: folder, outcome: .empty)
        }
        if !place.isChosen,
            let complaint = FolderTrust.complaint(
                of: path, userID: surroundings.userID, groupID: surroundings.groupID)
        {
            return .init(place: place, folder: folder, outcome: .untrusted(complaint))
        }
        return .init(place: place, folder: place.isChosen ? folder : path, outcome: .found)
    }

    /// The names of the folders in all places that may hold one of Triton's backends: each is looked for by itself
    /// then. A library of any name may be one, where a configuration's `runtime` names it.
    package func backendNames() -> [String] { places.flatMap { Self.backendNames(in: $0.path) } }

    /// Those in one place.
    package static func backendNames(in place: String) -> [String] {
        LibraryFolder.fileNames(in: place).filter { name in
            !name.hasPrefix(".")
                && LibraryFolder.fileNames(in: "\(place)/\(name)").contains(where: isBackend)
        }
    }

    /// A library, or what a backend in Python is called.
    private static func isBackend(_ file: String) -> Bool { FolderTrust.isLibrary(file) || file == "model.py" }
}

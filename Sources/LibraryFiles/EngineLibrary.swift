package import Tensors

/// The library of an engine as it is looked for: what it is called, and what to tell who lacks it.
package struct EngineLibrary: Sendable {
    /// As it is named in errors, `the OpenVINO runtime` for instance.
    private let title: String
    private let baseName: String
    /// What the system's loader is asked for; it also knows the libraries that are open already.
    package let systemNames: [String]
    /// What to install, as a sentence without its end.
    package let remedy: String

    /// - Parameters:
    ///   - baseName: `libengine.so` for instance; a version may follow in the file's name.
    ///   - version: the one that the system's loader is asked for before the bare name.
    package init(_ title: String, baseName: String, version: String, remedy: String) {
        self.title = title
        self.baseName = baseName
        self.remedy = remedy
        systemNames = ["\(baseName).\(version)", baseName]
    }

    /// Opens the library of the first directory that has one, else the one that the system's loader finds.
    ///
    /// - Parameters:
    ///   - systemNames: in place of its own.
    ///   - absence: what to say where there is none.
    /// - Throws: `unavailable`, with where it was looked for and what to install.
    package func open(
        directories: [String], systemNames: [String]? = nil, absence: LibraryAbsence
    ) throws(HalcyonError) -> DynamicLibrary {
        for directory in directories {
            guard let file = LibraryFolder.newest(baseName, in: directory) else { continue }
            if let damaged = LibraryFolder.damagedLibrary(in: directory) {
                throw HalcyonError(
                    .unavailable, "\(title) is damaged: '\(damaged)' is no complete library. \(remedy)")
            }
            return try DynamicLibrary.open([file]) { reason in
                HalcyonError(.unavailable, "\(title) can't be loaded: \(reason); \(remedy)")
            }
        }
        return try DynamicLibrary.open(systemNames ?? self.systemNames) { _ in
            HalcyonError(
                .unavailable, "\(absence.sentence("\(title) (\(baseName))", directories: directories)) \(remedy)")
        }
    }

    /// Whether ``open(directories:systemNames:absence:)`` would find one.
    package func isInstalled(directories: [String]) -> Bool {
        directories.contains { LibraryFolder.newest(baseName, in: $0) != nil }
            || systemNames.contains(where: DynamicLibrary.isAvailable)
    }
}

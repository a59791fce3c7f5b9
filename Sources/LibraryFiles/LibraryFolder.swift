private import Glibc

/// A folder of shared libraries, as the package of an engine holds them.
package enum LibraryFolder {
    /// The library with the highest version number in its name, which is all that follows the base name.
    ///
    /// - Parameter baseName: `libengine.so` for instance.
    /// - Returns: its path, or `nil` where the folder has none.
    package static func newest(_ baseName: String, in directory: String) -> String? {
        fileNames(in: directory)
            .filter { $0 == baseName || $0.hasPrefix(baseName + ".") }
            .max { numbers($0, after: baseName).lexicographicallyPrecedes(numbers($1, after: baseName)) }
            .map { "\(directory)/\($0)" }
    }

    /// The first file that is no complete library although its name says so.
    ///
    /// A library that was cut short, by a download that broke off for instance, would end the process when one of its
    /// missing pages is touched. So all of them are looked at before one is opened.
    package static func damagedLibrary(in directory: String) -> String? {
        fileNames(in: directory)
            .filter { $0.hasPrefix("lib") && $0.contains(".so") }
            .map { "\(directory)/\($0)" }
            .first { !ELFFile.isComplete($0) }
    }

    /// In no order; empty where there is no such folder.
    package static func fileNames(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
                })
        }
        return names
    }

    /// A path without links; `nil` where nothing is there.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func numbers(_ fileName: String, after baseName: String) -> [Int] {
        fileName.dropFirst(baseName.count).split(separator: ".").map { Int($0) ?? 0 }
    }
}

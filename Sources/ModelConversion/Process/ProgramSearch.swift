/// Finds programs as a shell does.
enum ProgramSearch {
    /// The path of a program: itself where it has a slash in it, else the first of that name in `PATH`.
    static func find(_ name: String, variables: [String: String]) -> String? {
        guard !name.isEmpty else { return nil }
        if name.contains("/") {
            guard let path = try? Files.absolutePath(name) else { return nil }
            return Files.isExecutable(path) ? path : nil
        }
        return (variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .filter { $0.hasPrefix("/") }
            .map { "\($0)/\(name)" }
            .first { Files.isExecutable($0) }
    }
}

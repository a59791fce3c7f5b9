internal import ArgumentParser
internal import JSONText

/// Flags by an unambiguous beginning of their names, as with getopt: `--log-warn` for `--log-warning`.
struct FlagAbbreviations {
    /// The names of flags, without dashes, by command.
    private let flags: [String: [String]]

    init(flags: [String: [String]]) { self.flags = flags }

    /// Those of a command's commands, from what the parser says of them.
    init(of command: any ParsableCommand.Type) {
        var flags: [String: [String]] = [:]
        var text = command._dumpHelp()
        let document = text.withUTF8 { try? JSONValue(reading: UnsafeRawBufferPointer($0), depth: 64) }
        for command in document?["command"]?["subcommands"]?.elements ?? [] {
            guard let name = command["commandName"]?.text else { continue }
            flags[name] = (command["arguments"]?.elements ?? [])
                .flatMap { $0["names"]?.elements ?? [] }
                .filter { $0["kind"]?.text == "long" }
                .compactMap { $0["name"]?.text }
        }
        self.init(flags: flags)
    }

    /// The arguments of a process, with the whole names of the flags. What is no flag's beginning stays as it is.
    ///
    /// - Parameter arguments: from the command's name on.
    /// - Throws: `ValidationError` for the beginning of several.
    func expand(_ arguments: [String]) throws -> [String] {
        guard let command = arguments.first, let names = flags[command] else { return arguments }
        var isOver = false
        return try arguments.map { argument in
            isOver = isOver || argument == "--"
            guard !isOver, argument.hasPrefix("--") else { return argument }
            let name = argument.dropFirst(2).prefix { $0 != "=" }
            guard !name.isEmpty, !names.contains(String(name)) else { return argument }
            let matches = Set(names.filter { $0.hasPrefix(name) }).sorted()
            guard let match = matches.first else { return argument }
            guard matches.count == 1 else {
                throw ValidationError(
                    "option '--\(name)' is ambiguous; possibilities: "
                        + matches.map { "'--\($0)'" }.joined(separator: " "))
            }
            return "--\(match)\(argument.dropFirst(2 + name.count))"
        }
    }
}

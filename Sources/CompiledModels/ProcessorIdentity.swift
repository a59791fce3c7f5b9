private import Glibc

/// What a compiled model was compiled for: the processor's name, and the instructions that it has.
package struct ProcessorIdentity: Hashable, Sendable {
    package var name: String
    /// Sorted. Only instruction sets: what the kernel says beside them may change with its version.
    package var features: [String]

    package init(name: String, features: [String]) {
        self.name = name
        self.features = features
    }

    /// Reads the text of `/proc/cpuinfo`. Processors of several kinds, as some machines have, count with what all of
    /// them have.
    package init(cpuinfo text: String) {
        var names: [String] = []
        var common: Set<String>?
        for line in text.split(separator: "\n") {
            let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { continue }
            let value = Self.trimmed(halves[1])
            switch Self.trimmed(halves[0]) {
            case "model name", "CPU part": if !names.contains(value) { names.append(value) }
            case "flags", "Features":
                let flags = Set(value.split(separator: " ").map(String.init).filter(Self.isInstructionSet))
                common = common?.intersection(flags) ?? flags
            default: break
            }
        }
        name = names.isEmpty ? "unknown" : names.joined(separator: ", ")
        features = (common ?? []).sorted()
    }

    /// The machine's own processor.
    package static let current = ProcessorIdentity(cpuinfo: Self.read("/proc/cpuinfo"))

    private static let prefixes = [
        "sse", "ssse", "avx", "amx", "fma", "f16c", "bmi", "gfni", "vaes", "vpclmul", "sha", "asimd", "sve", "sme",
        "i8mm",
        "bf16", "fphp",
    ]

    /// `smep`, a protection of memory on x86, only sounds like one.
    private static func isInstructionSet(_ flag: String) -> Bool {
        flag != "smep" && prefixes.contains { flag.hasPrefix($0) }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func read(_ path: String) -> String {
        guard let stream = fopen(path, "re") else { return "" }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(count)
        }
    }
}

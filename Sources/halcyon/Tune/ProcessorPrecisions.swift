internal import LoadGeneration

/// In which numbers this machine's processors compute quickly, by the engine's names for them.
enum ProcessorPrecisions {
    static func here() -> [String] {
        named(String(decoding: (try? InputFile.read("/proc/cpuinfo")) ?? [], as: UTF8.self))
    }

    /// - Parameter text: what the system says of the processors.
    static func named(_ text: String) -> [String] {
        let flags = Set(
            text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }?
                .split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "\t" }).map(String.init) ?? [])
        var names = ["f32"]
        if !flags.isDisjoint(with: ["avx512_bf16", "amx_bf16", "bf16"]) { names.append("bf16") }
        if !flags.isDisjoint(with: ["avx512_fp16", "amx_fp16", "fphp"]) { names.append("f16") }
        return names
    }
}

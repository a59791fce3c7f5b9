internal import COpenVINO
private import Glibc
internal import LibraryFiles
internal import ModelRuntime

/// The engine's settings of one compiled model.
struct EngineProperties: Sendable {
    let precision: String
    let streams: Int?
    let threads: String
    let pinning: String
    let isFromCache: Bool

    /// What is asked of the engine: the share of the processor that the plan gives, and the parameters over it.
    static func settings(_ parameters: ModelParameters, plan: CPUPlan) -> [String: String] {
        var settings = [
            "INFERENCE_NUM_THREADS": String(plan.threads),
            // Pinned threads stay on their cores when other models, or other processes in the same container, need
            // them; and on a caller's thread every inference would change its affinity twice.
            "ENABLE_CPU_PINNING": "NO",
        ]
        // A performance hint chooses the number of streams itself.
        if parameters.properties["PERFORMANCE_HINT"] == nil { settings["NUM_STREAMS"] = String(plan.streams) }
        return settings.merging(parameters.properties) { $1 }
    }

    /// Calls with the settings as the engine takes them; they are valid during the call.
    static func withCProperties<Result>(
        _ settings: [String: String], _ body: (UnsafeBufferPointer<openvino_property_t>) -> Result
    ) -> Result {
        var strings: [UnsafeMutablePointer<CChar>] = []
        defer { for string in strings { free(string) } }
        var properties: [openvino_property_t] = []
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard let name = strdup(name), let value = strdup(value) else { continue }
            strings += [name, value]
            properties.append(openvino_property_t(key: name, value: value))
        }
        return properties.withUnsafeBufferPointer(body)
    }

    /// What a compiled model runs with.
    static func values(of compiled: Handle, _ library: Library) -> EngineProperties {
        func value(_ name: String) -> String? {
            var text: UnsafeMutablePointer<CChar>?
            guard library.functions.ov_compiled_model_get_property(compiled.pointer, name, &text) == 0, let text else {
                return nil
            }
            defer { library.functions.ov_free(text) }
            return String(cString: text)
        }
        return EngineProperties(
            precision: value("INFERENCE_PRECISION_HINT") ?? "unknown",
            streams: value("NUM_STREAMS").flatMap { Int($0) },
            threads: value("INFERENCE_NUM_THREADS") ?? "unknown",
            pinning: value("ENABLE_CPU_PINNING") ?? "unknown",
            isFromCache: ["YES", "true", "1"].contains(value("LOADED_FROM_CACHE") ?? ""))
    }

    /// The same as an operator reads it.
    func described(cacheDirectory: String?) -> [(name: String, value: String)] {
        let folder = cacheDirectory?.isEmpty == false ? cacheDirectory : nil
        return [
            ("device", "CPU"), ("precision", precision), ("streams", streams.map(String.init) ?? "unknown"),
            ("threads", threads), ("pinning", pinning),
            ("compile cache", folder.map { "\(isFromCache ? "read from" : "written to") \($0)" } ?? "off"),
        ]
    }
}

internal import Halcyon
internal import Tensors

/// `--backend-config`: `engine,setting=value`, or `setting=value` for all engines.
enum BackendSettings {
    static func apply(_ settings: [String], to options: inout ServerOptions) throws(HalcyonError) {
        for setting in settings {
            guard let equals = setting.firstIndex(of: "=") else {
                throw HalcyonError(
                    .invalidArgument, "--backend-config takes engine,setting=value, got '\(setting)'")
            }
            let value = String(setting[setting.index(after: equals)...])
            let left = setting[..<equals]
            let parts = left.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.last, !name.isEmpty else {
                throw HalcyonError(.invalidArgument, "--backend-config '\(setting)' lacks the setting's name")
            }
            let engine = parts.count == 2 ? String(parts[0]) : ""
            if engine.isEmpty {
                try applyGlobal(String(name), value, to: &options)
            } else {
                options.backendConfiguration[engine, default: [:]][String(name)] = value
            }
        }
    }

    private static func applyGlobal(
        _ name: String, _ value: String, to options: inout ServerOptions
    ) throws(HalcyonError) {
        guard name == "default-max-batch-size" else {
            throw HalcyonError(
                .invalidArgument, "there is no setting '\(name)' of all engines, only default-max-batch-size")
        }
        guard let size = Int(value), size >= 0 else {
            throw HalcyonError(.invalidArgument, "default-max-batch-size is a number from 0, got '\(value)'")
        }
        options.defaultMaxBatchSize = size
    }
}

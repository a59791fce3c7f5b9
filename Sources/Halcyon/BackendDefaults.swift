internal import Logging
internal import Tensors

/// The settings of a backend that are the server's business and not the engine's.
enum BackendDefaults {
    private static let maxBatchSize = "default-max-batch-size"

    /// What Triton itself tells every backend, and some write on its command line: it has no meaning here, or another
    /// flag says it.
    private static let withoutMeaning = [
        "auto-complete-config": "--disable-auto-complete-config says it",
        "backend-directory": "--backend-directory says it",
        "min-compute-capability": "--min-supported-compute-capability says it",
    ]

    /// The maximum batch size of models that could batch and do not say, by the backend's name.
    ///
    /// - Throws: `invalidArgument` for something that is no size.
    static func maxBatchSizes(_ configuration: [String: [String: String]]) throws(HalcyonError) -> [String: Int] {
        var sizes: [String: Int] = [:]
        for (backend, settings) in configuration.sorted(by: { $0.key < $1.key }) {
            guard let text = settings[maxBatchSize] else { continue }
            guard let size = Int(text), size >= 0, size <= Int(Int32.max) else {
                throw HalcyonError(
                    .invalidArgument, "\(maxBatchSize) of the backend '\(backend)' is a number from 0, got '\(text)'")
            }
            sizes[backend] = size
        }
        return sizes
    }

    /// The settings that are left for a backend itself.
    static func settings(of backend: String, _ options: ServerOptions) -> [String: String] {
        var settings = options.backendConfiguration[backend] ?? [:]
        settings[maxBatchSize] = nil
        for (name, reason) in withoutMeaning.sorted(by: { $0.key < $1.key }) where settings[name] != nil {
            settings[name] = nil
            options.log.notice(
                "a setting of a backend has no effect here",
                metadata: ["backend": "\(backend)", "setting": "\(name)", "reason": "\(reason)"])
        }
        return settings
    }
}

package import Tensors

/// The parameters of a request to load a model.
package struct LoadRequest: Sendable {
    package enum Value: Sendable {
        case text(String)
        case bytes(TensorBuffer)
        case other
    }

    /// What takes the place of the model's own configuration and files; `nil` to load what lies in the repository.
    package private(set) var override: ModelOverride?

    /// - Parameter model: the model's name, for errors: refused loads begin with Triton's words.
    /// - Throws: `invalidArgument` for a parameter of the wrong kind, an unknown one, or files without a configuration.
    package init(_ parameters: [String: Value], model: String) throws(HalcyonError) {
        do throws(HalcyonError) {
            try self.init(parameters)
        } catch {
            throw error.prefixed("failed to load '\(model.prefix(255))', failed to poll from model repository: ")
        }
    }

    /// - Throws: as ``init(_:model:)``, without the model's name.
    package init(_ parameters: [String: Value]) throws(HalcyonError) {
        var files: [String: TensorBuffer] = [:]
        var configuration: String?
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            if name.hasPrefix("file:") {
                let path = String(name.dropFirst("file:".count))
                files[path] = try Self.content(value, name)
            } else if name == "config" {
                guard case .text(let text) = value else {
                    throw HalcyonError(.invalidArgument, "parameter 'config' must be a string with JSON")
                }
                configuration = text
            } else {
                throw HalcyonError(
                    .invalidArgument, "unexpected parameter '\(name.prefix(100))', expected 'config' or 'file:<path>'")
            }
        }
        guard let configuration else {
            guard files.isEmpty else {
                throw HalcyonError(
                    .invalidArgument, "override model directory requires the model's configuration in 'config'")
            }
            return
        }
        override = ModelOverride(configuration: configuration, files: files)
    }

    private static func content(_ value: Value, _ name: String) throws(HalcyonError) -> TensorBuffer {
        switch value {
        case .bytes(let bytes): return bytes
        case .text(let text):
            guard let bytes = Base64.decode(text) else {
                throw HalcyonError(.invalidArgument, "parameter '\(name.prefix(100))' is not base64")
            }
            return TensorBuffer(copying: bytes)
        case .other:
            throw HalcyonError(.invalidArgument, "parameter '\(name.prefix(100))' must hold the file's bytes")
        }
    }
}

internal import Halcyon
internal import KServeProtocol
package import NIOHTTP1
package import Tensors
internal import Transport

extension HTTPService {
    /// For tensors that come as binary data: where the model reads them that the request names. What is wrong with the
    /// request is said when it is there.
    package func bodyMemory(for head: HTTPRequestHead) -> (any MemoryProvider)? {
        guard head.headers.contains(name: "inference-header-content-length"),
            case .infer(let target)? = HTTPRoute(path: HTTPRequest.path(of: head.uri)),
            access.missingKey(for: .inference, header: { head.headers.first(name: $0) }) == nil,
            let model = try? service.server.resolve(target.model, version: target.version)
        else { return nil }
        return model.inputMemory
    }
}

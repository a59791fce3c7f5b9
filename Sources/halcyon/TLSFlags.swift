internal import Tensors
internal import Transport

/// The flags of a port that speak of TLS.
struct TLSFlags {
    var isOn: Bool
    var isMutual: Bool
    var certificate: String?
    var key: String?
    var root: String?
    /// What the flags' names begin with.
    var prefix: String

    /// - Throws: `invalidArgument` for a flag that is missing or has no use.
    func options() throws(HalcyonError) -> TLSOptions? {
        guard isOn || isMutual else {
            guard certificate == nil, key == nil, root == nil else {
                throw HalcyonError(.invalidArgument, "certificates are only used with --\(prefix)-use-ssl=true")
            }
            return nil
        }
        guard let certificate, let key else {
            throw HalcyonError(
                .invalidArgument, "--\(prefix)-use-ssl needs --\(prefix)-server-cert and --\(prefix)-server-key")
        }
        guard !isMutual || root != nil else {
            throw HalcyonError(.invalidArgument, "--\(prefix)-use-ssl-mutual needs --\(prefix)-root-cert")
        }
        return TLSOptions(certificatePath: certificate, keyPath: key, clientRootPath: isMutual ? root : nil)
    }
}

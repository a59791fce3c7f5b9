/// The files of a port that speaks TLS.
package struct TLSOptions: Hashable, Sendable {
    /// The server's certificate and those that vouch for it, PEM.
    package var certificatePath: String
    /// Its private key, PEM.
    package var keyPath: String
    /// Certificates that clients' certificates must go back to, PEM; `nil` to ask clients for none.
    package var clientRootPath: String?

    package init(certificatePath: String, keyPath: String, clientRootPath: String? = nil) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.clientRootPath = clientRootPath
    }
}

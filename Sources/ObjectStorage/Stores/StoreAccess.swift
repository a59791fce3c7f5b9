internal import Tensors

/// Everything that is needed to talk to the store of a repository, from what the process and the machine say.
struct StoreAccess {
    let store: any ObjectStore
    /// Where credentials are looked for, in this order.
    let sources: [CredentialSource]
    /// Whom the store is.
    let origin: String
    /// A PEM file with the certificates of who vouches for the store; `nil` for the system's.
    let certificates: String?

    init(_ location: StoreLocation, _ surroundings: Surroundings) throws(HalcyonError) {
        switch location.kind {
        case .s3:
            let settings = try AWSSettings(surroundings)
            var endpoint = location.address
            if endpoint == nil { endpoint = try settings.endpoint("S3") }
            let store = S3Store(
                bucket: location.bucket, region: settings.region, endpoint: endpoint,
                usesPath: location.address == nil ? settings.usesPath : true)
            self.store = store
            sources = AWSCredentials(surroundings: surroundings, settings: settings).sources
            origin = endpoint?.origin ?? "Amazon"
            certificates = settings.certificates ?? surroundings["SSL_CERT_FILE"]
        case .googleCloud:
            let emulator = surroundings["STORAGE_EMULATOR_HOST"].map { $0.contains("://") ? $0 : "http://\($0)" }
            var address = WebAddress(host: "storage.googleapis.com")
            if let emulator { address = try WebAddress(emulator, name: "STORAGE_EMULATOR_HOST") }
            store = GoogleStore(bucket: location.bucket, address: address)
            sources = GoogleCredentials(surroundings: surroundings).sources
            origin = address.origin
            certificates = surroundings["SSL_CERT_FILE"]
        case .azure:
            let address = try Self.azureAddress(location, surroundings)
            store = AzureStore(account: location.account, container: location.bucket, address: address)
            sources = AzureCredentials(surroundings: surroundings, account: location.account).sources
            origin = address.origin
            certificates = surroundings["SSL_CERT_FILE"]
        case .archive:
            let address = location.address ?? WebAddress(host: "")
            store = ArchiveStore(location: location, address: address)
            sources = []
            origin = address.origin
            certificates = surroundings["AWS_CA_BUNDLE"] ?? surroundings["SSL_CERT_FILE"]
        }
    }

    private static func azureAddress(_ location: StoreLocation, _ surroundings: Surroundings) throws(HalcyonError)
        -> WebAddress
    {
        if let address = location.address { return address }
        let name = "AZURE_STORAGE_BLOB_ENDPOINT"
        if let text = surroundings[name] { return try WebAddress(text, name: name) }
        let parts = AzureCredentials.parts(surroundings["AZURE_STORAGE_CONNECTION_STRING"] ?? "")
        if let text = parts["BlobEndpoint"], parts["AccountName"].map({ $0 == location.account }) ?? true {
            return try WebAddress(text, name: "BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING")
        }
        let suffix = parts["EndpointSuffix"] ?? "core.windows.net"
        return WebAddress(host: "\(location.account).blob.\(suffix)")
    }
}

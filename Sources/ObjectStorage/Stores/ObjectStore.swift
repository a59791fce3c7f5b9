internal import Tensors

/// How one kind of store is asked, and what its answers mean. No part of it talks to anybody.
protocol ObjectStore: Sendable {
    /// What it is, for people.
    var name: String { get }

    /// Asks for a part of the list of keys that begin with a prefix.
    ///
    /// - Parameters:
    ///   - isDeep: whether all keys are wanted; otherwise only those up to the next slash.
    ///   - next: what the part before said.
    func listing(prefix: String, isDeep: Bool, next: String?) -> StoreRequest

    func page(_ body: [UInt8]) throws(HalcyonError) -> ListingPage

    /// Asks for an object's content, as long as it has that tag.
    func content(of object: StoredObject) -> StoreRequest

    /// - Parameter region: of AWS, where an answer has named another than the configured one.
    func signed(_ request: StoreRequest, _ credentials: StoreCredentials, region: String?, at time: UTCTime)
        -> StoreRequest

    /// The code and the sentence in an answer that refuses.
    func refusal(_ answer: StoreAnswer) -> StoreRefusal
}

/// What came back, without its body where that is an object's content.
struct StoreAnswer: Hashable, Sendable {
    var status: Int
    /// Names in small letters.
    var headers: [StoreRequest.Field] = []
    var body: [UInt8] = []

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why a store refuses.
struct StoreRefusal: Hashable, Sendable {
    /// The store's own word; empty where it says none.
    var code = ""
    /// Its sentence; empty where it says none.
    var message = ""
    /// Where the bucket lies, if it is elsewhere.
    var region: String?

    init(code: String = "", message: String = "", region: String? = nil) {
        // Nobody else's text becomes lines of the log.
        self.code = UntrustedText.shown(code, most: 100)
        self.message = UntrustedText.shown(message)
        self.region = region.map { UntrustedText.shown($0, most: 100) }
    }
}

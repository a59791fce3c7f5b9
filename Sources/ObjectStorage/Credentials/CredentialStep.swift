internal import Tensors

/// A step on the way to credentials. Each says what to ask, and what the answer leads to; it asks nobody itself.
indirect enum CredentialStep: Sendable {
    /// - Parameter expiry: until when they hold; `nil` for always.
    case done(StoreCredentials, expiry: UTCTime?)
    case ask(StoreRequest, then: @Sendable (StoreAnswer) throws(HalcyonError) -> CredentialStep)
}

/// A place where credentials may be.
struct CredentialSource: Sendable {
    /// For people: `the environment (AWS_ACCESS_KEY_ID)`.
    let name: String
    /// Whether it is there only perhaps, as the metadata of a machine that may be none of a cloud: then it does not
    /// answer soon, and the next is asked.
    var isPerhaps = false
    /// Reads what there is now: files may have changed since the last time.
    ///
    /// - Returns: `nil` where the source is not set up.
    let begin: @Sendable (_ now: UTCTime) throws(HalcyonError) -> CredentialStep?
}

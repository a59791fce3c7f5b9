/// One object of a store, as a listing has it.
struct StoredObject: Hashable, Sendable {
    var key: String
    var byteCount: Int64
    /// Another one whenever the content is.
    var tag: String
    /// The content's MD5, where the store says it.
    var md5: [UInt8]? = nil
}

/// A part of a listing.
struct ListingPage: Hashable, Sendable {
    var objects: [StoredObject] = []
    /// What keys begin with up to the next slash, where they were asked for by folder.
    var folders: [String] = []
    /// What to ask for the rest with; `nil` where there is none.
    var next: String?
}

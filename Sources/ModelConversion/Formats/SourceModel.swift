internal import Tensors

/// A model that shall be converted, as far as it shows without the libraries that read it.
package struct SourceModel: Sendable {
    /// An input or output that the file declares.
    package struct Port: Hashable, Sendable {
        package var name: String
        /// With the batch; −1 is any size. `nil` where the file does not say.
        package var dimensions: [Int]?
    }

    /// Absolute, behind links.
    package var path: String
    /// Every file of it, or its folder: absolute, behind links.
    package var files: [String]
    package var format: SourceFormat
    package var byteCount: Int
    /// `nil` where this format's inputs show only to the libraries.
    package var inputs: [Port]?
    /// The names that may be asked for as outputs; `nil` as above.
    package var outputNames: [String]?
    /// The outputs that the file itself declares; `nil` as above.
    package var outputs: [Port]?
    /// The head of an `.etlt`.
    package var container: EncryptedContainer?

    init(path: String, format: SourceFormat, byteCount: Int) {
        self.path = path
        files = [path]
        self.format = format
        self.byteCount = byteCount
    }
}

/// What is wrong with a JSON text, and at which byte.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    package var reason: String
    /// From the text's start.
    package var offset: Int

    package init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason) at \(offset)" }
}

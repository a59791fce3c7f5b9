/// What a JSON text may ask for; nothing is made of what is over a limit.
package struct JSONLimits: Hashable, Sendable {
    /// How deep arrays and objects may be nested.
    package var depth: Int
    /// Bytes of an object's key.
    package var nameLength = Int.max
    /// Bytes of a number.
    package var numberLength = Int.max
    /// How many values there may be in trees.
    package var values = Int.max

    package init(depth: Int) { self.depth = depth }
}

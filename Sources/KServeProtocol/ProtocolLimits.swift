/// How much one request may ask for.
package struct ProtocolLimits: Hashable, Sendable {
    /// How deep arrays and objects of a JSON text may be nested.
    package var jsonDepth = 64
    /// How many inputs a request may bring.
    package var inputs = 1024
    /// How many outputs a request may name.
    package var outputs = 1024

    package init() {}
}

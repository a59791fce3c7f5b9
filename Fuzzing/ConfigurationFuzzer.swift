import ModelConfiguration

/// What libFuzzer calls with each input: the reader must come back, with values or with complaints whose places lie in
/// the text.
@_cdecl("LLVMFuzzerTestOneInput")
public func readConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let outcome = ConfigurationReader.read(bytes, file: "config.pbtxt", modelName: "fuzz")
    let hasErrors = outcome.diagnostics.contains { $0.severity == .error }
    precondition((outcome.configuration == nil) == hasErrors, "values beside errors, or neither")
    let lines = 1 + bytes.count { $0 == UInt8(ascii: "\n") }
    for diagnostic in outcome.diagnostics {
        precondition((1...lines).contains(diagnostic.line) && diagnostic.column >= 1, "\(diagnostic) is outside")
        precondition(!diagnostic.description.isEmpty)
    }
    return 0
}

internal import ModelConfigurations

/// What libFuzzer calls with each input, by way of a few lines of C that Fuzzing/run compiles: the reader must come
/// back, with values or with complaints whose places lie in the text.
@_cdecl("halcyon_fuzz_config")
public func readConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let outcome = ConfigurationReader.read(bytes, file: "config.pbtxt", modelName: "fuzz")
    let hasErrors = outcome.diagnostics.contains { $0.severity == .error }
    precondition((outcome.configuration == nil) == hasErrors, "values beside errors, or neither")
    let lines = 1 + bytes.count { $0 == UInt8(ascii: "\n") }
    for diagnostic in outcome.diagnostics {
        precondition((1...lines).contains(diagnostic.line) && diagnostic.column >= 1, "\(diagnostic) is outside")
        precondition(!diagnostic.description.isEmpty)
    }
}

/// The same for a configuration in JSON, as a load brings one.
@_cdecl("halcyon_fuzz_configjson")
public func readJSONConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let outcome = ConfigurationReader.read(bytes, file: "the request", modelName: "fuzz", form: .json)
    let hasErrors = outcome.diagnostics.contains { $0.severity == .error }
    precondition((outcome.configuration == nil) == hasErrors, "values beside errors, or neither")
    precondition(outcome.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.description.isEmpty })
}

internal import ArgumentParser

/// `true` or `false` as the value of an option, in the spellings that Triton takes.
struct Switch: ExpressibleByArgument, CustomStringConvertible {
    var isOn: Bool

    init(_ isOn: Bool) { self.isOn = isOn }

    init?(argument: String) {
        switch argument.lowercased() {
        case "true", "1", "on": isOn = true
        case "false", "0", "off": isOn = false
        default: return nil
        }
    }

    var description: String { isOn ? "true" : "false" }
    var defaultValueDescription: String { description }

    static let allValueStrings = ["true", "false"]
}

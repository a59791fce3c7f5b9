/// The files `~/.aws/config` and `~/.aws/credentials`: sections with settings, some of which have settings themselves.
struct AWSProfiles: Hashable, Sendable {
    /// By profile and by setting; a setting of a setting is named with a dot, `s3.addressing_style`.
    private var profiles: [String: [String: String]] = [:]

    /// - Parameter surroundings: which may name other files, `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`.
    init(_ surroundings: Surroundings) {
        let config = surroundings["AWS_CONFIG_FILE"] ?? "~/.aws/config"
        let credentials = surroundings["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials"
        if let text = surroundings.text(surroundings.expanded(config)) { take(text, isConfig: true) }
        // What both have, the file of credentials says.
        if let text = surroundings.text(surroundings.expanded(credentials)) { take(text, isConfig: false) }
    }

    private mutating func take(_ text: String, isConfig: Bool) {
        var profile: String?
        var outer = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let isIndented = line.first?.isWhitespace == true
            let words = Self.trimmed(line)
            if words.isEmpty || words.first == "#" || words.first == ";" { continue }
            if words.first == "[" {
                let name = Self.trimmed(words.dropFirst().prefix { $0 != "]" })
                let isNamed = name.hasPrefix("profile ")
                profile =
                    isConfig && !isNamed && name != "default"
                    ? nil : String(isNamed ? Self.trimmed(name.dropFirst("profile ".count)) : name)
                outer = ""
                continue
            }
            guard let profile, let equals = words.firstIndex(of: "=") else { continue }
            let name = Self.trimmed(words[..<equals]).lowercased()
            let value = String(Self.trimmed(words[words.index(after: equals)...]))
            if !isIndented { outer = value.isEmpty ? name : "" }
            let isInner = isIndented && !outer.isEmpty
            profiles[profile, default: [:]][isInner ? "\(outer).\(name)" : name] = value
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let rest = text.drop(while: \.isWhitespace)
        return rest.lastIndex { !$0.isWhitespace }.map { rest[...$0] } ?? ""
    }

    subscript(profile: String) -> [String: String]? { profiles[profile] }
}

internal import JSONText

/// A configuration as the text of a `config.pbtxt`, which reads back as the same configuration.
package enum ConfigurationText {
    /// One line of the text.
    package struct Line: Hashable, Sendable {
        package var text: String
        /// The field that it shows, `input[0].dims` for instance; empty for a closing bracket.
        package var path: String
    }

    package static func lines(of configuration: ModelConfiguration) -> [Line] {
        guard case .object(let members) = configuration.jsonValue else { return [] }
        return fields(members, of: ConfigurationSchema.root, path: "", depth: 0)
    }

    /// What a message says beyond its defaults, in the schema's order.
    private static func fields(
        _ members: [JSONValue.Member], of message: String, path: String, depth: Int
    ) -> [Line] {
        var lines: [Line] = []
        let indent = String(repeating: "  ", count: depth)
        for field in ConfigurationSchema.fields(of: message) {
            guard !FieldSupport.withoutEffect.contains("\(message).\(field.name)"),
                let value = members.first(where: { $0.key == field.name })?.value
            else { continue }
            let here = path.isEmpty ? field.name : "\(path).\(field.name)"
            switch (field.cardinality, value) {
            case (.repeated, .array(let elements)):
                if case .message(let type) = field.kind {
                    for (index, element) in elements.enumerated() {
                        lines += block(field.name, element, type, path: "\(here)[\(index)]", depth)
                    }
                } else if !elements.isEmpty {
                    let list = elements.map { text($0, field.kind) }.joined(separator: ", ")
                    lines.append(Line(text: "\(indent)\(field.name): [ \(list) ]", path: here))
                }
            case (.map(let key), .object(let entries)):
                for entry in entries {
                    lines += mapEntry(field, entry, key, path: "\(here)[\(entry.key)]", depth)
                }
            case (_, .object(let inner)):
                guard case .message(let type) = field.kind else { continue }
                let body = fields(inner, of: type, path: here, depth: depth + 1)
                // One of a choice, and a shape without dimensions, say something by being there.
                if body.isEmpty, field.oneof == nil, type != "ModelTensorReshape" { continue }
                lines += block(field.name, value, type, path: here, depth)
            default:
                if !isDefault(value) || field.oneof != nil {
                    lines.append(Line(text: "\(indent)\(field.name): \(text(value, field.kind))", path: here))
                }
            }
        }
        return lines
    }

    private static func block(
        _ name: String, _ value: JSONValue, _ type: String, path: String, _ depth: Int
    ) -> [Line] {
        let indent = String(repeating: "  ", count: depth)
        guard case .object(let members) = value else { return [] }
        let body = fields(members, of: type, path: path, depth: depth + 1)
        if body.isEmpty { return [Line(text: "\(indent)\(name) { }", path: path)] }
        return [Line(text: "\(indent)\(name) {", path: path)] + body + [Line(text: "\(indent)}", path: "")]
    }

    private static func mapEntry(
        _ field: ConfigurationSchema.Field, _ entry: JSONValue.Member, _ key: ConfigurationSchema.Kind, path: String,
        _ depth: Int
    ) -> [Line] {
        let indent = String(repeating: "  ", count: depth)
        let keyText = key == .string ? JSONValue.string(entry.key).compact : entry.key
        guard case .message(let type) = field.kind else {
            let value = text(entry.value, field.kind)
            return [Line(text: "\(indent)\(field.name) { key: \(keyText) value: \(value) }", path: path)]
        }
        return [
            Line(text: "\(indent)\(field.name) {", path: path), Line(text: "\(indent)  key: \(keyText)", path: path),
        ]
            + block("value", entry.value, type, path: path, depth + 1) + [Line(text: "\(indent)}", path: "")]
    }

    private static func text(_ value: JSONValue, _ kind: ConfigurationSchema.Kind) -> String {
        if case .enumeration = kind, case .string(let name) = value { return name }
        return value.compact
    }

    private static func isDefault(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.isEmpty || ConfigurationSchema.isDefault(text)
        case .bool(let flag): !flag
        case .integer(let number): number == 0
        case .unsigned(let number): number == 0
        case .number(let number): number == 0
        case .null: true
        case .array, .object: false
        }
    }
}

extension ConfigurationSchema {
    /// Whether a name is an enumeration's first value, which is what a message means that does not say.
    fileprivate static func isDefault(_ name: String) -> Bool {
        ["FORMAT_NONE", "KIND_AUTO", "PRIORITY_DEFAULT", "REJECT"].contains(name)
    }
}

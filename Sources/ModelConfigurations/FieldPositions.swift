/// Where the fields of a `config.pbtxt` are written.
package enum FieldPositions {
    /// Line and column, from 1, of every field that is given, by its path: `input[0].dims`, `parameters[key]`.
    package static func read(_ bytes: [UInt8], file: String) -> [String: (line: Int, column: Int)] {
        var parser = TextParser(bytes, file: file)
        var positions: [String: (line: Int, column: Int)] = [:]
        collect(parser.parse(), path: "", &positions)
        return positions
    }

    private static func collect(
        _ message: ConfigurationMessage, path: String, _ positions: inout [String: (line: Int, column: Int)]
    ) {
        for field in ConfigurationSchema.fields(of: message.type) {
            for (index, node) in message.nodes(field.name).enumerated() {
                let here = path.isEmpty ? field.name : "\(path).\(field.name)"
                let position = (node.position.line, node.position.column)
                if case .message(let inner) = node.value {
                    let own =
                        switch field.cardinality {
                        case .singular: here
                        case .repeated: "\(here)[\(index)]"
                        case .map: "\(here)[\(node.key)]"
                        }
                    positions[own] = position
                    collect(inner, path: own, &positions)
                } else if case .map = field.cardinality {
                    positions["\(here)[\(node.key)]"] = position
                } else if positions[here] == nil {
                    positions[here] = position
                }
            }
        }
    }
}

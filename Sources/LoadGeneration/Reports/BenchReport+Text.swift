internal import JSONText

extension BenchReport {
    /// For people: times in milliseconds.
    package var table: String {
        let columns = Column.all(self)
        var rows = [[results.first?.load.kind ?? "load"] + columns.map(\.title)]
        for result in results {
            rows.append(
                [result.label] + columns.map { column in column.value(result).map(column.format) ?? "-" })
        }
        return ([headline, "Latencies and stages in ms", ""] + TextTable(rows).lines + notes).joined(separator: "\n")
    }

    /// A line for each load, times in nanoseconds.
    package var csv: String {
        let columns = Column.all(self)
        var lines = [(["load", "kind", "steady", "requests", "seconds"] + columns.map(\.key)).joined(separator: ",")]
        for result in results {
            let fields =
                [
                    result.load.label, result.load.kind, result.steady.rawValue, String(result.window.counts.requests),
                    Figures.fixed(result.window.seconds, 3),
                ] + columns.map { column in column.value(result).map { Figures.fixed($0, 3) } ?? "" }
            lines.append(fields.joined(separator: ","))
        }
        return lines.joined(separator: "\n")
    }

    package var json: String { jsonValue.pretty }

    var jsonValue: JSONValue {
        let columns = Column.all(self)
        return [
            "model": .string(model), "version": .string(version), "target": .string(target),
            "requests": .string(requests),
            "results": .array(results.map { Self.json($0, columns) }),
        ]
    }

    private static func json(_ result: LevelResult, _ columns: [Column]) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("load", .string(result.load.label)), .init("kind", .string(result.load.kind)),
            .init("steady", .string(result.steady.rawValue)),
            .init("batch_size", .integer(Int64(result.batch))),
            .init("requests", .integer(Int64(result.window.counts.requests))),
            .init("responses", .integer(Int64(result.window.counts.responses))),
            .init("seconds", .number(result.window.seconds)),
        ]
        if let rate = result.load.offeredRate { members.append(.init("offered_requests_per_second", .number(rate))) }
        for column in columns where column.key != "errors" {
            members.append(.init(column.key, column.value(result).map { .number($0) } ?? .null))
        }
        if let server = result.window.server {
            members.append(.init("server_executions", .count(server.executions)))
            members.append(.init("server_inferences", .count(server.inferences)))
            members.append(.init("server_cache_hits", .count(server.cacheHit.count)))
            members.append(
                .init(
                    "server_batches",
                    .object(server.batches.sorted { $0.key < $1.key }.map { .init(String($0.key), .count($0.value)) })))
        }
        members.append(
            .init(
                "errors",
                .object(
                    result.window.counts.errors.sorted { $0.key < $1.key }
                        .map { .init($0.key, .integer(Int64($0.value))) })))
        return .object(members)
    }
}

/// Changes the text of a configuration as little as possible: comments, order and blanks stay.
package struct ConfigurationEdit: Sendable {
    private var bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text with what a setting changes.
    ///
    /// - Parameters:
    ///   - present: what takes effect with the text as it is: only what differs is written.
    ///   - engine: by its name, as engines name the same thing differently.
    ///   - maxBatchSize: is written down where it is not, as a model without it may be made to batch.
    package mutating func apply(_ setting: Setting, over present: Setting, engine: String, maxBatchSize: Int) {
        if setting.instances != present.instances { setInstances(setting.instances) }
        if setting.batches != present.batches || (setting.batches && setting.canonical != present.canonical) {
            if !setting.batches {
                if maxBatchSize > 1, field("max_batch_size") == nil { append("max_batch_size: \(maxBatchSize)") }
                comment("dynamic_batching")
            } else if setting.batches != present.batches || setting.delay != present.delay
                || setting.preferredSizes != present.preferredSizes
            {
                setBatching(setting, present)
            }
        }
        let threads = engine == "onnxruntime" ? "intra_op_thread_count" : "INFERENCE_NUM_THREADS"
        if setting.threads != present.threads { setParameter(threads, setting.threads.map { String($0) }) }
        if setting.streams != present.streams { setParameter("NUM_STREAMS", setting.streams.map { String($0) }) }
        if setting.precision != present.precision { setParameter("INFERENCE_PRECISION_HINT", setting.precision) }
    }

    // MARK: Fields

    private func field(_ name: String) -> PbtxtOutline.Field? {
        PbtxtOutline(bytes).fields.first { $0.name == name }
    }

    private mutating func append(_ line: String) {
        if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        bytes += Array("\(line)\n".utf8)
    }

    private mutating func replace(_ range: Range<Int>, _ text: String) {
        bytes.replaceSubrange(range, with: Array(text.utf8))
    }

    /// Writes a field of a message: over its value, or in front of the others.
    private mutating func set(_ name: String, _ value: String, in message: PbtxtOutline.Message) {
        if let field = message.fields.first(where: { $0.name == name }) {
            return replace(field.value, value)
        }
        // On a line of its own where the others have theirs.
        if let first = message.fields.first, let indent = indent(of: first.range.lowerBound) {
            return replace(first.range.lowerBound..<first.range.lowerBound, "\(name): \(value)\n\(indent)")
        }
        replace(message.range.lowerBound..<message.range.lowerBound, " \(name): \(value) ")
    }

    /// What stands before a position on its line; `nil` where that is more than blanks.
    private func indent(of position: Int) -> String? {
        let start = bytes[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let before = bytes[start..<position]
        return before.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? String(decoding: before, as: UTF8.self) : nil
    }

    private mutating func setInstances(_ count: Int) {
        let groups = PbtxtOutline(bytes).fields.filter { $0.name == "instance_group" }
        let messages = groups.flatMap(\.messages)
        if messages.count == 1, let message = messages.first { return set("count", String(count), in: message) }
        // Several groups become one.
        for group in groups.dropFirst().reversed() { remove(group) }
        if let first = groups.first {
            replace(first.range, "instance_group [ { count: \(count) kind: KIND_CPU } ]")
        } else {
            append("instance_group [ { count: \(count) kind: KIND_CPU } ]")
        }
    }

    private mutating func setBatching(_ setting: Setting, _ present: Setting) {
        if field("dynamic_batching") == nil { append("dynamic_batching { }") }
        if setting.delay != present.delay || (!present.batches && setting.delay > 0) {
            guard let message = field("dynamic_batching")?.messages.first else { return }
            set("max_queue_delay_microseconds", String(setting.delay), in: message)
        }
        guard setting.preferredSizes != present.preferredSizes, let message = field("dynamic_batching")?.messages.first
        else { return }
        let sizes = "[ \(setting.preferredSizes.map { String($0) }.joined(separator: ", ")) ]"
        for extra in message.fields.filter({ $0.name == "preferred_batch_size" }).dropFirst().reversed() {
            remove(extra)
        }
        if setting.preferredSizes.isEmpty {
            if let field = message.fields.first(where: { $0.name == "preferred_batch_size" }) { remove(field) }
        } else if let message = field("dynamic_batching")?.messages.first {
            set("preferred_batch_size", sizes, in: message)
        }
    }

    private mutating func setParameter(_ name: String, _ value: String?) {
        for field in PbtxtOutline(bytes).fields where field.name == "parameters" {
            for message in field.messages {
                guard let key = message.fields.first(where: { $0.name == "key" }),
                    String(decoding: bytes[key.value], as: UTF8.self).dropFirst().dropLast() == name
                else { continue }
                guard let value else { return field.messages.count == 1 ? remove(field) : removeEntry(message) }
                if let inner = message.fields.first(where: { $0.name == "value" })?.messages.first {
                    set("string_value", "\"\(value)\"", in: inner)
                }
                return
            }
        }
        guard let value else { return }
        append("parameters { key: \"\(name)\" value { string_value: \"\(value)\" } }")
    }

    // MARK: Taking away

    /// Takes one message out of a list.
    private mutating func removeEntry(_ message: PbtxtOutline.Message) {
        var range = max(0, message.range.lowerBound - 1)..<min(bytes.count, message.range.upperBound + 1)
        var end = range.upperBound
        while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
        if end < bytes.count, bytes[end] == UInt8(ascii: ",") {
            range = range.lowerBound..<end + 1
        } else {
            var start = range.lowerBound
            while start > 0, bytes[start - 1] <= 0x20 { start -= 1 }
            if start > 0, bytes[start - 1] == UInt8(ascii: ",") { range = start - 1..<range.upperBound }
        }
        bytes.removeSubrange(range)
    }

    /// Takes a field out, with its line where it is alone there.
    private mutating func remove(_ field: PbtxtOutline.Field) {
        var end = field.range.upperBound
        while end < bytes.count,
            bytes[end] == 0x20 || bytes[end] == UInt8(ascii: ",") || bytes[end] == UInt8(ascii: ";")
        {
            end += 1
        }
        var start = field.range.lowerBound
        if let indent = indent(of: start), end == bytes.count || bytes[end] == UInt8(ascii: "\n") {
            start -= indent.utf8.count
            end = min(bytes.count, end + 1)
        }
        bytes.removeSubrange(start..<end)
    }

    /// Makes comments of a field's lines, so that what is written there is not lost.
    private mutating func comment(_ name: String) {
        guard let field = field(name) else { return }
        var start = field.range.lowerBound
        var indentation = ""
        if let indent = indent(of: start) {
            indentation = indent
            start -= indent.utf8.count
        } else {
            indentation = "\n"
        }
        var end = field.range.upperBound
        while end < bytes.count, bytes[end] == UInt8(ascii: ",") || bytes[end] == UInt8(ascii: ";") { end += 1 }
        let lines = String(decoding: bytes[start..<field.range.upperBound], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map { "# \($0)" }.joined(separator: "\n")
        let rest = bytes[end...].prefix { $0 != UInt8(ascii: "\n") }
        let isAlone = rest.allSatisfy { $0 == 0x20 } || rest.drop { $0 == 0x20 }.first == UInt8(ascii: "#")
        replace(start..<end, (indentation == "\n" ? "\n" : "") + lines + (isAlone ? "" : "\n"))
    }
}

import Testing

@testable import ModelConfigurations

@Suite("Support of the schema's fields")
struct FieldSupportTests {
    /// Fields of the root and of all messages that supported fields lead to.
    private func reachable() -> [String] {
        var names: [String] = []
        var messages = [ConfigurationSchema.root]
        var seen: Set<String> = [ConfigurationSchema.root]
        while let message = messages.popLast() {
            for field in ConfigurationSchema.fields(of: message) {
                let name = "\(message).\(field.name)"
                names.append(name)
                if FieldSupport.supported.contains(name), case .message(let inner) = field.kind,
                    seen.insert(inner).inserted
                {
                    messages.append(inner)
                }
            }
        }
        return names
    }

    @Test("Every field that a file can reach stands in exactly one list, and no list has another")
    func complete() {
        let lists = [
            FieldSupport.supported, FieldSupport.withoutEffect, FieldSupport.ignored, FieldSupport.unsupported,
        ]
        let names = reachable()
        for name in names { #expect(lists.filter { $0.contains(name) }.count == 1, "\(name)") }
        for list in lists { #expect(list.subtracting(names).isEmpty, "\(list.subtracting(names))") }
    }

    @Test("Every message and enumeration that a field names is in the schema")
    func schema() {
        for (message, fields) in ConfigurationSchema.messages {
            for field in fields {
                switch field.kind {
                case .message(let name): #expect(ConfigurationSchema.messages[name] != nil, "\(message).\(field.name)")
                case .enumeration(let name):
                    #expect(ConfigurationSchema.enumerations[name] != nil, "\(message).\(field.name)")
                default: break
                }
            }
        }
    }

    @Test(
        "What is not supported is a load error that names the field",
        arguments: [

            ("instance_group { passive: true }", "passive"),
            ("optimization { priority: PRIORITY_MAX }", "priority"),
            ("optimization { cuda { graphs: true } }", "cuda"),
        ])
    func unsupported(text: String, field: String) {
        let outcome = read(text)
        #expect(outcome.configuration == nil)
        #expect(
            outcome.diagnostics.contains { $0.message == "'\(field)' is not supported by this version" }, "\(outcome)")
    }

    @Test(
        "What is left at its default, or is about GPU copies, is accepted",
        arguments: [
            "response_cache { enable: false }", "model_transaction_policy { decoupled: false }",
            "input { name: \"A\" data_type: TYPE_FP32 dims: 1 optional: false }",
            "optimization { priority: PRIORITY_DEFAULT }",
            "optimization { input_pinned_memory { enable: true } gather_kernel_buffer_threshold: 3 }",
        ])
    func accepted(text: String) {
        #expect(read(text).diagnostics.isEmpty, "\(read(text).diagnostics)")
    }

    @Test("What can't do what was meant is a warning, not an error")
    func warnings() {
        let outcome = read("max_batch_size: 8 dynamic_batching { default_queue_policy { max_queue_size: 2 } }")
        #expect(outcome.configuration != nil)
        #expect(outcome.diagnostics.map(\.severity) == [.warning])
        #expect(read("cc_model_filenames { key: \"7.0\" value: \"m\" }").diagnostics.map(\.severity) == [.warning])
    }
}

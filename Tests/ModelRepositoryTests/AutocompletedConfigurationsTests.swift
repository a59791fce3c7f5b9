import Foundation
import ModelConfigurations
import ModelRepository
import Tensors
import Testing

/// The effective configurations of Triton, field by field.
@Suite(.enabled(if: Recorded.isThere, Recorded.absent))
struct AutocompletedConfigurationsTests {
    typealias Object = [String: Any]

    static var names: [String] { ((try? Recorded.json("autocompleted.json")) as? Object)?.keys.sorted() ?? [] }

    @Test func `All recordings are looked at`() {
        #expect(Self.names == ["empty_config", "no_config", "only_dynamic_batching", "two_groups"])
    }

    @Test(arguments: names)
    func `The effective configuration is Triton's`(name: String) throws {
        let all = try #require(try Recorded.json("autocompleted.json") as? Object)
        let recorded = try #require(all[name] as? Object)
        let effective = try #require(recorded["effective"] as? Object)
        let repository = try TemporaryRepository()
        try Recorded.lay(name, configuration: recorded["config.pbtxt"] as? String, in: repository)
        let ours = try Recorded.load(name, from: repository).configuration

        #expect(effective["name"] as? String == ours.name)
        #expect(effective["platform"] as? String == ours.platform)
        #expect(effective["backend"] as? String == ours.backend)
        #expect(effective["runtime"] as? String == "")
        #expect(effective["default_model_filename"] as? String == ours.defaultModelFilename)
        #expect(effective["max_batch_size"] as? Int == ours.maxBatchSize)
        #expect(effective["parameters"] as? [String: String] == ours.parameters)
        let latest = (effective["version_policy"] as? Object)?["latest"] as? Object
        #expect(ours.versionPolicy == .latest(try #require(latest?["num_versions"] as? Int)))
        let optimization = effective["optimization"] as? Object
        #expect(optimization?["eager_batching"] as? Bool == ours.optimization.eagerBatching)
        #expect(try tensors(effective["input"]) == Set(ours.inputs))
        #expect(try tensors(effective["output"]) == Set(ours.outputs))
        #expect(try batching(effective["dynamic_batching"]) == ours.dynamicBatching)
        #expect(try groups(effective["instance_group"], written: recorded["config.pbtxt"]) == ours.instanceGroups)
    }

    /// A set, as Triton completes the two in the order of its hash table.
    private func tensors(_ list: Any?) throws -> Set<TensorConfiguration> {
        Set(
            try (list as? [Object] ?? []).map {
                TensorConfiguration(
                    name: try #require($0["name"] as? String),
                    elementType: try #require(ElementType(configurationName: $0["data_type"] as? String ?? "")),
                    dimensions: TensorShape(try #require($0["dims"] as? [Int])),
                    format: try #require(
                        TensorConfiguration.Format(rawValue: $0["format"] as? String ?? "FORMAT_NONE")),
                    labelFilename: $0["label_filename"] as? String ?? "")
            })
    }

    private func batching(_ value: Any?) throws -> DynamicBatching? {
        guard let object = value as? Object else { return nil }
        #expect((object["priority_queue_policy"] as? Object)?.isEmpty == true)
        return DynamicBatching(
            preferredBatchSizes: try #require(object["preferred_batch_size"] as? [Int]),
            maxQueueDelayMicroseconds: UInt64(try #require(object["max_queue_delay_microseconds"] as? Int)),
            preserveOrdering: try #require(object["preserve_ordering"] as? Bool),
            priorityLevels: try #require(object["priority_levels"] as? Int),
            defaultPriorityLevel: try #require(object["default_priority_level"] as? Int))
    }

    /// Where no count is written Triton takes two instances for ONNX Runtime, and we one for every engine.
    private func groups(_ list: Any?, written: Any?) throws -> [InstanceGroup] {
        let countIsWritten = (written as? String)?.contains("count: 2") == true
        return try (list as? [Object] ?? []).enumerated().map { index, group in
            InstanceGroup(
                name: try #require(group["name"] as? String),
                kind: try #require(InstanceGroup.Kind(rawValue: group["kind"] as? String ?? "")),
                count: countIsWritten && index == 0 ? try #require(group["count"] as? Int) : 1,
                gpus: try #require(group["gpus"] as? [Int]))
        }
    }
}

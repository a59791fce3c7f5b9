package import Halcyon
package import JSONText

/// The protocol's JSON documents about the server and its models; key for key as Triton writes them.
package enum ServerDocuments {
    /// What a server that speaks the protocol says of itself.
    package static func protocolMetadata(name: String) -> ServerMetadata {
        ServerMetadata(
            name: name, version: InferenceServer.version,
            extensions: [
                "classification", "sequence", "model_repository", "model_repository(unload_dependents)",
                "schedule_policy", "model_configuration", "system_shared_memory", "cuda_shared_memory",
                "binary_tensor_data", "parameters", "statistics", "trace", "logging",
            ])
    }

    package static func metadata(_ metadata: ServerMetadata) -> JSONValue {
        [
            "name": .string(metadata.name),
            "version": .string(metadata.version),
            "extensions": .array(metadata.extensions.map(JSONValue.string)),
        ]
    }

    package static func metadata(_ metadata: ModelMetadata) -> JSONValue {
        [
            "name": .string(metadata.name),
            "versions": .array(metadata.versions.map { .string(String($0)) }),
            "platform": .string(metadata.platform),
            "inputs": .array(metadata.inputs.map(tensor)),
            "outputs": .array(metadata.outputs.map(tensor)),
        ]
    }

    private static func tensor(_ tensor: ModelMetadata.TensorMetadata) -> JSONValue {
        [
            "name": .string(tensor.name),
            "datatype": .string(tensor.elementType.rawValue),
            "shape": .array(tensor.shape.dimensions.map { .integer(Int64($0)) }),
        ]
    }

    /// - Parameter readyOnly: leave out what does not serve.
    package static func index(_ entries: [ModelIndexEntry], readyOnly: Bool) -> JSONValue {
        .array(
            entries.filter { !readyOnly || $0.state == .ready }.map { entry in
                var members = [JSONValue.Member("name", .string(entry.name))]
                if let version = entry.version { members.append(.init("version", .string(String(version)))) }
                if let state = entry.state { members.append(.init("state", .string(state.rawValue))) }
                if !entry.reason.isEmpty { members.append(.init("reason", .string(entry.reason))) }
                return .object(members)
            })
    }

    package static func regions(_ regions: [SharedMemory.Status]) -> JSONValue {
        .array(
            regions.map { region in
                [
                    "name": .string(region.name),
                    "key": .string(region.key),
                    "offset": .integer(Int64(region.offset)),
                    "byte_size": .integer(Int64(region.byteCount)),
                ]
            })
    }

    package static func deviceRegions(_ regions: [SharedMemory.DeviceStatus]) -> JSONValue {
        .array(
            regions.map { region in
                [
                    "name": .string(region.name), "device_id": .integer(Int64(region.device)),
                    "byte_size": .integer(Int64(region.byteCount)),
                ]
            })
    }

    package static func error(_ message: String) -> JSONValue { ["error": .string(message)] }
}

import ModelConfigurations
import Tensors
import Testing

@testable import LoadGeneration

@Suite("Configurations as a server of gRPC sends them")
struct ConfigurationExcerptTests {
    @Test("What load needs to know is read from the message that the server writes")
    func fields() {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 300
        configuration.isDecoupled = true
        configuration.sequenceBatching = SequenceBatching(
            strategy: .direct(maxQueueDelay: .zero, minimumSlotUtilization: 0))
        configuration.inputs = [
            TensorConfiguration(name: "A", elementType: .fp32, dimensions: [-1]),
            TensorConfiguration(name: "B", elementType: .int32, dimensions: [1]),
        ]
        configuration.inputs[1].isOptional = true
        let message = ConfigurationExcerpt(configuration.protobuf)
        #expect(message.maxBatchSize == 300)
        #expect(message.optionalInputs == ["B"])
        #expect(message.isDecoupled)
        #expect(message.hasSequences)
    }

    @Test("Nothing of it is needed, and damage ends it", arguments: [[], [0xFF], [0x2A, 200, 1], [0x20]] as [[UInt8]])
    func damage(_ bytes: [UInt8]) {
        let message = ConfigurationExcerpt(bytes)
        #expect(message.maxBatchSize == 0)
        #expect(message.optionalInputs.isEmpty && !message.isDecoupled && !message.hasSequences)
    }
}

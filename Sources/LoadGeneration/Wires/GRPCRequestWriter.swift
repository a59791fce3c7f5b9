internal import FoundationEssentials
internal import Halcyon
internal import KServeMessages
internal import NIOCore
internal import SwiftProtobuf
internal import Tensors

/// Requests as messages of gRPC, each with its length in front.
enum GRPCRequestWriter {
    static let service = "/inference.GRPCInferenceService/"

    static func framed(_ message: some Message) -> ByteBuffer {
        let bytes: [UInt8] = (try? message.serializedBytes()) ?? []
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 5)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(clamping: bytes.count))
        buffer.writeBytes(bytes)
        return buffer
    }

    static func inference(
        _ form: RequestForm, step: RequestData.Step, lane: Int, index: Int, sequence: InferenceSequence?
    ) -> ByteBuffer {
        var message = Inference_ModelInferRequest()
        message.modelName = form.model.name
        message.modelVersion = form.model.version
        if let sequence, case .number(let id) = sequence.id {
            message.parameters["sequence_id"] = parameter(Int64(clamping: id))
            message.parameters["sequence_start"] = parameter(sequence.isStart)
            message.parameters["sequence_end"] = parameter(sequence.isEnd)
        }
        for (place, tensor) in step.enumerated() {
            var input = Inference_ModelInferRequest.InferInputTensor()
            input.name = tensor.name
            input.datatype = tensor.elementType.rawValue
            input.shape = tensor.shape.dimensions.map { Int64($0) }
            if let region = form.memory?.input(step: index, input: place) {
                input.parameters = parameters(region)
            } else {
                message.rawInputContents.append(tensor.data.withUnsafeBytes { Data($0) })
            }
            message.inputs.append(input)
        }
        if let memory = form.memory {
            for (place, port) in form.model.outputs.enumerated() {
                var output = Inference_ModelInferRequest.InferRequestedOutputTensor()
                output.name = port.name
                output.parameters = parameters(memory.output(lane: lane, output: place))
                message.outputs.append(output)
            }
        }
        return framed(message)
    }

    private static func parameters(_ region: SharedTensors.Place) -> [String: Inference_InferParameter] {
        var name = Inference_InferParameter()
        name.parameterChoice = .stringParam(region.region)
        return [
            "shared_memory_region": name, "shared_memory_byte_size": parameter(Int64(region.byteCount)),
            "shared_memory_offset": parameter(Int64(region.offset)),
        ]
    }

    private static func parameter(_ value: Int64) -> Inference_InferParameter {
        var parameter = Inference_InferParameter()
        parameter.parameterChoice = .int64Param(value)
        return parameter
    }

    private static func parameter(_ value: Bool) -> Inference_InferParameter {
        var parameter = Inference_InferParameter()
        parameter.parameterChoice = .boolParam(value)
        return parameter
    }
}

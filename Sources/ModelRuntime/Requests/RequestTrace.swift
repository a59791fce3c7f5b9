package import Tensors

/// Who wants to know how far a request has come. The engine tells; it keeps nothing.
package protocol RequestTrace: Sendable {
    /// Whether it wants to see the tensors, too.
    var wantsTensors: Bool { get }

    /// The request has reached the version of a model that will run it.
    func began(model: String, version: Int64, requestID: String)

    /// - Parameter time: in nanoseconds of the machine's monotonic clock.
    func reached(_ point: TracePoint, at time: UInt64)

    func saw(_ tensor: Tensor, as role: TracedTensor)

    func failed(_ error: HalcyonError)

    /// The trace of a request that this one makes of another model, such as a step of an ensemble.
    func step() -> any RequestTrace
}

/// The points of a request's way, by Triton's names.
package enum TracePoint: String, Hashable, Sendable {
    case httpReceiveStart = "HTTP_RECV_START"
    case httpReceiveEnd = "HTTP_RECV_END"
    case httpSendStart = "HTTP_SEND_START"
    case httpSendEnd = "HTTP_SEND_END"
    case grpcReceiveStart = "GRPC_WAITREAD_START"
    case grpcReceiveEnd = "GRPC_WAITREAD_END"
    case grpcSendStart = "GRPC_SEND_START"
    case grpcSendEnd = "GRPC_SEND_END"
    case requestStart = "REQUEST_START"
    case queueStart = "QUEUE_START"
    case computeStart = "COMPUTE_START"
    case computeInputEnd = "COMPUTE_INPUT_END"
    case computeOutputStart = "COMPUTE_OUTPUT_START"
    case computeEnd = "COMPUTE_END"
    case responseComplete = "INFER_RESPONSE_COMPLETE"
    case requestEnd = "REQUEST_END"
}

/// What a traced tensor is to its request, by Triton's names.
package enum TracedTensor: String, Hashable, Sendable {
    case queueInput = "TENSOR_QUEUE_INPUT"
    case backendOutput = "TENSOR_BACKEND_OUTPUT"
}

extension RequestTrace {
    /// The request is about to wait in its model's queue.
    func queued(_ inputs: [Tensor], arrival: UInt64) {
        reached(.requestStart, at: arrival)
        reached(.queueStart, at: arrival)
        if wantsTensors { for input in inputs { saw(input, as: .queueInput) } }
    }

    func executed(_ stages: StatisticsCollector.Stages) {
        reached(.computeStart, at: stages.start)
        reached(.computeInputEnd, at: stages.inferenceStart)
        reached(.computeOutputStart, at: stages.inferenceEnd)
        reached(.computeEnd, at: stages.end)
    }

    func ended(_ result: Result<InferenceResponse, HalcyonError>, at time: UInt64) {
        switch result {
        case .success(let response):
            if wantsTensors { for output in response.outputs { saw(output, as: .backendOutput) } }
        case .failure(let error): failed(error)
        }
        reached(.responseComplete, at: time)
        reached(.requestEnd, at: time)
    }
}

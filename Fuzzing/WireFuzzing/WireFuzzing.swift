internal import Halcyon
internal import KServeProtocol
internal import Tensors

// What libFuzzer calls with each input, by way of a few lines of C that Fuzzing/run compiles. Whatever the bytes are,
// the readers must come back, with a call whose tensors lie inside what came, or with an error.

private let limits = ProtocolLimits()
private let memory = SharedMemory(isAllowed: false)

/// The body of an inference request that is all JSON.
@_cdecl("halcyon_fuzz_json")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let body = TensorBuffer(copying: UnsafeRawBufferPointer(start: start, count: count))
    check(
        try? InferenceJSONReader(limits: limits, memory: memory).read(
            body, jsonByteCount: count, model: "m", version: nil))
    _ = try? GenerateRequest.read(
        body, for: model, limits: limits, budget: .unlimited)
}

/// JSON with binary data behind it; the first two bytes say how long the JSON is.
@_cdecl("halcyon_fuzz_binary")
public func fuzzBinary(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let start, count >= 2 else { return }
    let length = Int(start[0]) | Int(start[1]) << 8
    let body = TensorBuffer(copying: UnsafeRawBufferPointer(start: start + 2, count: count - 2))
    let reader = InferenceJSONReader(limits: limits, memory: memory)
    check(try? reader.read(body, jsonByteCount: length, model: "m", version: nil))
    _ = try? RawBinaryRequest.read(body, for: model)
}

/// `ModelInferRequest`.
@_cdecl("halcyon_fuzz_protobuf")
public func fuzzProtobuf(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let body = TensorBuffer(copying: UnsafeRawBufferPointer(start: start, count: count))
    let reader = InferenceProtobufReader(limits: limits, memory: memory)
    guard let message = try? reader.read(body) else { return }
    check(try? reader.call(message))
}

private let model = ModelInterface(
    name: "m", version: 1,
    inputs: [
        .init(name: "IN", elementType: .fp32, dimensions: [-1]),
        .init(name: "TEXT", elementType: .bytes, dimensions: [-1]),
    ], maxBatchSize: 8)

/// Reads every byte of every tensor, under the address sanitizer, and writes them out again.
private func check(_ call: InferenceCall?) {
    guard let call else { return }
    var tensors: [Tensor] = []
    for input in call.request.inputs {
        let sum = input.data.withUnsafeBytes { $0.reduce(0 as UInt8, &+) }
        // What the engine would refuse can't be answered with either.
        if sum == 0 || input.elementType == .bytes,
            let tensor = try? Tensor(
                name: input.name, elementType: input.elementType, shape: input.shape, data: input.data)
        {
            tensors.append(tensor)
        }
    }
    let response = InferenceResponse(modelName: "m", modelVersion: 1, id: call.request.id, outputs: tensors)
    let all = InferenceCall(request: call.request, outputs: [])
    guard let result = try? InferenceResult(response, for: all.form, memory: memory) else { return }
    _ = try? InferenceJSONWriter(result)
    _ = InferenceProtobufWriter.message(result, isFinal: true)
}

internal import COpenVINO
internal import LibraryFiles
internal import ModelRuntime
internal import Tensors

/// Runs batches on a compiled model. It has no state of its own: the model's requests serve all instances.
final class OpenVINOInstance: ModelInstance {
    private let model: CompiledModel
    private let modelName: String
    private var library: Library { model.library }
    private var functions: openvino_functions_t { model.library.functions }

    init(_ model: CompiledModel, modelName: String) throws(HalcyonError) {
        self.model = model
        self.modelName = modelName
        try model.requests.grow()
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let lease = try model.requests.lease()
        // The engine reads the inputs where they are, so they have to live until it is done.
        var inputs: [TensorBuffer] = []
        do throws(HalcyonError) {
            let padding = try padding(of: batch)
            for (index, port) in model.layout.inputs.enumerated() {
                let input = try InputTensor(batch.input(port.name), port: port, padding: padding)
                inputs.append(input.data)
                try set(input, at: index, on: lease.request)
            }
            batch.inferenceWillStart()
            try library.check(functions.ov_infer_request_infer(lease.request.pointer), "the inference failed")
            batch.inferenceDidEnd()
            return try outputs(of: lease, inputs: inputs, batch: batch, isPadded: padding != nil)
        } catch {
            lease.isReusable = false
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    /// The rows that have to be added to reach the model's fixed batch size; `nil` where its batches are open or full.
    private func padding(of batch: borrowing ExecutionBatch) throws(HalcyonError) -> BatchPadding? {
        guard case .fixed(let size, let pads) = model.layout.batch, batch.batchSize != size else { return nil }
        guard pads, batch.batchSize < size else {
            throw HalcyonError(
                .invalidArgument,
                "the model takes batches of exactly \(size), and this one has \(batch.batchSize); the parameter "
                    + "ENABLE_BATCH_PADDING: \"YES\" fills smaller batches up")
        }
        return BatchPadding(rows: batch.batchSize, paddedRows: size)
    }

    private func set(_ input: InputTensor, at index: Int, on request: Handle) throws(HalcyonError) {
        var dimensions = input.shape.dimensions.map(Int64.init)
        let tensor = try library.make(
            free: functions.ov_tensor_free, "OpenVINO does not take input '\(input.name)' of shape \(input.shape)"
        ) { result in
            dimensions.withUnsafeMutableBufferPointer {
                functions.ov_tensor_create_from_host_ptr(
                    input.elementType, openvino_shape_t(rank: Int64($0.count), dimensions: $0.baseAddress),
                    input.data.baseAddress, result)
            }
        }
        try library.check(
            functions.ov_infer_request_set_input_tensor_by_index(request.pointer, index, tensor.pointer),
            code: .invalidArgument, "OpenVINO does not take input '\(input.name)' of shape \(input.shape)")
    }

    private func outputs(
        of lease: RequestLease, inputs: [TensorBuffer], batch: borrowing ExecutionBatch, isPadded: Bool
    ) throws(HalcyonError) -> [Tensor] {
        var outputs: [Tensor] = []
        for (index, port) in model.layout.outputs.enumerated() {
            if let wanted = batch.requestedOutputs, !wanted.contains(port.name) { continue }
            let tensor = try library.make(
                free: functions.ov_tensor_free, "OpenVINO does not give output '\(port.name)'"
            ) { functions.ov_infer_request_get_output_tensor_by_index(lease.request.pointer, index, $0) }
            var shape = try shape(of: tensor, port)
            var data = try data(of: tensor, port, shape, owner: lease)
            // An output that the model does not compute is the input itself, whose memory is not ours to hand out.
            if inputs.contains(where: { $0.overlaps(data) }) {
                data = data.withUnsafeBytes { TensorBuffer(copying: $0) }
            }
            if isPadded, let rows = shape.dimensions.first, rows > 0 {
                data = try data.slice(offset: 0, byteCount: data.byteCount / rows * min(batch.batchSize, rows))
                shape.dimensions[0] = min(batch.batchSize, rows)
            }
            outputs.append(try Tensor(name: port.name, elementType: port.elementType, shape: shape, data: data))
        }
        return outputs
    }

    private func shape(of tensor: Handle, _ port: Port) throws(HalcyonError) -> TensorShape {
        var shape = openvino_shape_t()
        let status = functions.ov_tensor_get_shape(tensor.pointer, &shape)
        // The C interface can't describe a shape without dimensions, and calls the attempt a wrong parameter.
        if status == Library.wrongParameter { return TensorShape([]) }
        try library.check(status, "OpenVINO does not know the shape of '\(port.name)'")
        defer { _ = functions.ov_shape_free(&shape) }
        return TensorShape(UnsafeBufferPointer(start: shape.dimensions, count: max(Int(shape.rank), 0)).map { Int($0) })
    }

    /// The bytes of an output where the engine wrote them. They keep the request from running again.
    private func data(
        of tensor: Handle, _ port: Port, _ shape: TensorShape, owner lease: RequestLease
    ) throws(HalcyonError) -> TensorBuffer {
        let expected = try shape.byteCount(of: port.elementType)
        guard expected > 0 else { return TensorBuffer(TensorStorage.allocate(byteCount: 0)) }
        var byteCount = 0
        try library.check(
            functions.ov_tensor_get_byte_size(tensor.pointer, &byteCount), "OpenVINO does not size '\(port.name)'")
        var start: UnsafeMutableRawPointer?
        try library.check(functions.ov_tensor_data(tensor.pointer, &start), "OpenVINO does not give '\(port.name)'")
        guard byteCount == expected, let start else {
            throw HalcyonError(
                .internal,
                "output '\(port.name)' has \(byteCount) bytes, "
                    + "but shape \(shape) of \(port.elementType.rawValue) takes \(expected)")
        }
        return TensorBuffer(TensorStorage(owning: start, byteCount: byteCount) { _ in withExtendedLifetime(lease) {} })
    }
}

extension TensorBuffer {
    fileprivate func overlaps(_ other: TensorBuffer) -> Bool {
        baseAddress < other.baseAddress + other.byteCount && other.baseAddress < baseAddress + byteCount
    }
}

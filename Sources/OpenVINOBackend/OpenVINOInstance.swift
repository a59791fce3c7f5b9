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
        do throws(HalcyonError) {
            let padding = try padding(of: batch)
            if batch.hasCallersMemory, padding == nil {
                let targets = targets(of: &batch)
                if !targets.isEmpty, let outputs = try? run(&batch, padding: nil, targets) { return outputs }
                let outputs = try run(&batch, padding: nil, [:])
                // It was the memory: the outputs' shapes, for instance.
                if !targets.isEmpty { model.certainOutputs.giveUp() }
                return outputs
            }
            return try run(&batch, padding: padding, [:])
        } catch {
            throw error.prefixed("model '\(modelName)': ")
        }
    }

    private func run(
        _ batch: inout ExecutionBatch, padding: BatchPadding?, _ targets: [Int: OutputTarget]
    ) throws(HalcyonError) -> [Tensor] {
        let lease = try model.requests.lease()
        // The engine reads the inputs where they are, so they have to live until it is done.
        var inputs: [TensorBuffer] = []
        do throws(HalcyonError) {
            for (index, port) in model.layout.inputs.enumerated() {
                let input = try InputTensor(batch.input(port.name), port: port, padding: padding)
                inputs.append(input.data)
                try set(input, at: index, on: lease.request)
            }
            let own = try direct(lease.request, to: targets)
            batch.inferenceWillStart()
            try library.check(functions.ov_infer_request_infer(lease.request.pointer), "the inference failed")
            batch.inferenceDidEnd()
            for (index, target) in targets { try check(target, at: index, of: lease.request) }
            // The request writes into memory of its own again, before anybody else has it.
            for (index, tensor) in own { try setOutput(tensor, at: index, on: lease.request) }
            return try outputs(of: lease, inputs: inputs, batch: batch, isPadded: padding != nil, targets)
        } catch {
            lease.isReusable = false
            throw error
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
        let tensor = try tensor(
            over: input.data.baseAddress, input.elementType, input.shape,
            "OpenVINO does not take input '\(input.name)' of shape \(input.shape)")
        try library.check(
            functions.ov_infer_request_set_input_tensor_by_index(request.pointer, index, tensor.pointer),
            code: .invalidArgument, "OpenVINO does not take input '\(input.name)' of shape \(input.shape)")
    }

    private func outputs(
        of lease: RequestLease, inputs: [TensorBuffer], batch: borrowing ExecutionBatch, isPadded: Bool,
        _ targets: [Int: OutputTarget]
    ) throws(HalcyonError) -> [Tensor] {
        var outputs: [Tensor] = []
        for (index, port) in model.layout.outputs.enumerated() {
            if let wanted = batch.requestedOutputs, !wanted.contains(port.name) { continue }
            if let target = targets[index] {
                outputs.append(
                    try Tensor(
                        name: port.name, elementType: port.elementType, shape: target.shape,
                        data: TensorBuffer(target.storage)))
                continue
            }
            let tensor = try library.make(
                free: functions.ov_tensor_free, "OpenVINO does not give output '\(port.name)'"
            ) { functions.ov_infer_request_get_output_tensor_by_index(lease.request.pointer, index, $0) }
            var shape = try shape(of: tensor, port)
            var data = try data(of: tensor, port, shape, owner: lease)
            // An output that the model does not compute is the input itself, whose memory is not ours to hand out.
            let isInput = inputs.contains { $0.overlaps(data) }
            if isInput { data = data.withUnsafeBytes { TensorBuffer(copying: $0) } }
            // Where the engine computes nothing it writes nothing, whatever memory it is given.
            model.certainOutputs.note(
                index, shape, promised: isInput ? nil : port.fixedShape)
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

// MARK: Memory of a caller's for outputs

/// Where an output is written.
private struct OutputTarget {
    var storage: TensorStorage
    var shape: TensorShape
}

extension OpenVINOInstance {
    /// The caller's memory for the outputs of which it is certain what they are.
    private func targets(of batch: inout ExecutionBatch) -> [Int: OutputTarget] {
        var targets: [Int: OutputTarget] = [:]
        for (index, port) in model.layout.outputs.enumerated() {
            if let wanted = batch.requestedOutputs, !wanted.contains(port.name) { continue }
            guard let shape = port.fixedShape,
                let storage = model.certainOutputs.memory(
                    for: index, named: port.name, shape: shape, as: port.elementType, of: &batch)
            else { continue }
            targets[index] = OutputTarget(storage: storage, shape: shape)
        }
        return targets
    }

    /// Has a request write its outputs there.
    ///
    /// - Returns: its own tensors, which take their places again.
    private func direct(
        _ request: Handle, to targets: [Int: OutputTarget]
    ) throws(HalcyonError) -> [(Int, Handle)] {
        var own: [(Int, Handle)] = []
        for (index, target) in targets {
            let port = model.layout.outputs[index]
            own.append(
                (
                    index,
                    try library.make(free: functions.ov_tensor_free, "OpenVINO does not give output '\(port.name)'") {
                        functions.ov_infer_request_get_output_tensor_by_index(request.pointer, index, $0)
                    }
                ))
            let attempt = "OpenVINO does not write output '\(port.name)' of shape \(target.shape)"
            guard let type = port.elementType.openVINONumber else { throw HalcyonError(.internal, attempt) }
            let tensor = try tensor(over: target.storage.baseAddress, type, target.shape, attempt)
            try setOutput(tensor, at: index, on: request)
        }
        return own
    }

    /// - Throws: `internal` where the engine gave an output another shape, or put it elsewhere.
    private func check(_ target: OutputTarget, at index: Int, of request: Handle) throws(HalcyonError) {
        let port = model.layout.outputs[index]
        let attempt = "OpenVINO does not give output '\(port.name)'"
        let tensor = try library.make(free: functions.ov_tensor_free, attempt) {
            functions.ov_infer_request_get_output_tensor_by_index(request.pointer, index, $0)
        }
        var start: UnsafeMutableRawPointer?
        try library.check(functions.ov_tensor_data(tensor.pointer, &start), attempt)
        guard try shape(of: tensor, port) == target.shape, start == target.storage.baseAddress else {
            throw HalcyonError(.internal, "output '\(port.name)' is not where it was asked for")
        }
    }

    private func setOutput(_ tensor: Handle, at index: Int, on request: Handle) throws(HalcyonError) {
        try library.check(
            functions.ov_infer_request_set_output_tensor_by_index(request.pointer, index, tensor.pointer),
            "OpenVINO does not write output '\(model.layout.outputs[index].name)' there")
    }

    /// A tensor of the engine's over memory of somebody else's.
    private func tensor(
        over memory: UnsafeMutableRawPointer, _ type: openvino_element_type_t, _ shape: TensorShape, _ attempt: String
    ) throws(HalcyonError) -> Handle {
        var dimensions = shape.dimensions.map(Int64.init)
        return try library.make(free: functions.ov_tensor_free, attempt) { result in
            dimensions.withUnsafeMutableBufferPointer {
                functions.ov_tensor_create_from_host_ptr(
                    type, openvino_shape_t(rank: Int64($0.count), dimensions: $0.baseAddress), memory, result)
            }
        }
    }
}

extension Port {
    /// The only shape that there is. Where a size is open the engine writes into memory of its own and copies.
    fileprivate var fixedShape: TensorShape? {
        CertainOutputs.promised(dimensions.map { $0.map { $0.fixedSize ?? TensorShape.variable } }, batchSize: nil)
    }
}

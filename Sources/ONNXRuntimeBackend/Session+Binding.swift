internal import COnnxRuntime
internal import LibraryFiles
internal import Tensors

extension Session {
    /// Runs the model with inputs that may be in a GPU's memory, and leaves the outputs there.
    ///
    /// - Parameters:
    ///   - values: one for each of `given`.
    ///   - given: positions in ``inputs``.
    ///   - wanted: positions in ``outputs``.
    ///   - outputMemory: where outputs that are no texts are to be.
    /// - Returns: one value for each of `wanted`.
    func run(
        bound values: [InputValue], given: [Int], wanted: [Int], outputMemory: Handle
    ) throws(HalcyonError) -> [Handle] {
        let functions = library.functions
        let attempt = "ONNX Runtime can't bind inputs and outputs"
        let binding = try library.make(free: functions.release_io_binding, attempt) {
            functions.create_io_binding(handle.pointer, $0)
        }
        for (index, value) in zip(given, values) {
            try library.check(
                functions.bind_input(binding.pointer, inputNames[index], value.handle.pointer),
                "ONNX Runtime can't bind input '\(inputs[index].name)'")
        }
        for index in wanted {
            let memory = outputs[index].elementType == .bytes ? runtime.memory : outputMemory.pointer
            try library.check(
                functions.bind_output_to_device(binding.pointer, outputNames[index], memory),
                "ONNX Runtime can't bind output '\(outputs[index].name)'")
        }
        try library.check(
            functions.run_with_binding(handle.pointer, runOptions?.pointer, binding.pointer), "the inference failed")
        return try boundOutputs(binding, count: wanted.count)
    }

    private func boundOutputs(_ binding: Handle, count expected: Int) throws(HalcyonError) -> [Handle] {
        let functions = library.functions
        var list: UnsafeMutablePointer<OpaquePointer?>?
        var count = 0
        try library.check(
            functions.get_bound_output_values(binding.pointer, runtime.allocator, &list, &count),
            "ONNX Runtime does not give the outputs")
        guard let list else { return [] }
        let outputs = UnsafeBufferPointer(start: list, count: count).compactMap {
            $0.map { Handle($0, free: functions.release_value) }
        }
        if let status = functions.allocator_free(runtime.allocator, list) { functions.release_status(status) }
        guard outputs.count == expected else {
            throw HalcyonError(
                .unsupported, "the model left out an optional output, which the onnxruntime backend does not take")
        }
        return outputs
    }
}

internal import COpenVINO
internal import Tensors

/// A model as the engine read it from its file, before it is compiled.
final class SourceModel: Sendable {
    /// An input or an output, before it has the name that the configuration calls it by.
    struct RawPort {
        /// One of the names that the model has for it; it may have none.
        var anyName: String?
        var elementType: openvino_element_type_t
        var dimensions: [Port.Dimension]?
    }

    let library: Library
    let handle: Handle

    /// - Throws: `invalidArgument` with the engine's complaint, where it can't read the file.
    init(runtime: Runtime, path: String) throws(HalcyonError) {
        library = runtime.library
        let functions = library.functions
        handle = try library.make(
            code: .invalidArgument, free: functions.ov_model_free, "OpenVINO can't read '\(path)'"
        ) { functions.ov_core_read_model(runtime.core.pointer, path, nil, $0) }
        library.keepOpen()
    }

    func ports(_ direction: Port.Direction) throws(HalcyonError) -> [RawPort] {
        let size =
            direction == .input ? library.functions.ov_model_inputs_size : library.functions.ov_model_outputs_size
        var count = 0
        try library.check(size(handle.pointer, &count), "OpenVINO can't count the model's \(direction.rawValue)s")
        var ports: [RawPort] = []
        for index in 0..<count {
            let port = try rawPort(direction, index)
            ports.append(try describe(port, "\(direction.rawValue) \(index)"))
        }
        return ports
    }

    /// The position of the input or output that has this among its names.
    func index(of name: String, _ direction: Port.Direction, in ports: [RawPort]) -> Int? {
        let functions = library.functions
        let find =
            direction == .input ? functions.ov_model_const_input_by_name : functions.ov_model_const_output_by_name
        var pointer: OpaquePointer?
        guard find(handle.pointer, name, &pointer) == 0, let pointer else { return nil }
        let port = Handle(pointer, free: functions.ov_output_const_port_free)
        guard let anyName = anyName(of: port) else { return nil }
        return ports.firstIndex { $0.anyName == anyName }
    }

    /// Gives inputs other dimensions; the outputs' follow from them.
    ///
    /// - Throws: `invalidArgument` with the engine's complaint, where the model does not work with them.
    func reshapeInputs(_ shapes: [(index: Int, dimensions: [Port.Dimension])]) throws(HalcyonError) {
        var dimensions = shapes.flatMap { shape in
            shape.dimensions.map { openvino_dimension_t(minimum: $0.minimum, maximum: $0.maximum ?? -1) }
        }
        let indices = shapes.map(\.index)
        let status = dimensions.withUnsafeMutableBufferPointer { all in
            var first = 0
            let partial = shapes.map { shape in
                defer { first += shape.dimensions.count }
                let rank = Int64(shape.dimensions.count)
                return openvino_partial_shape_t(
                    rank: openvino_dimension_t(minimum: rank, maximum: rank),
                    dimensions: all.baseAddress.map { $0 + first })
            }
            return library.functions.ov_model_reshape_by_port_indexes(handle.pointer, indices, partial, shapes.count)
        }
        try library.check(status, code: .invalidArgument, "OpenVINO can't reshape the model's inputs")
    }

    private func rawPort(_ direction: Port.Direction, _ index: Int) throws(HalcyonError) -> Handle {
        let functions = library.functions
        let find =
            direction == .input ? functions.ov_model_const_input_by_index : functions.ov_model_const_output_by_index
        return try library.make(
            free: functions.ov_output_const_port_free,
            "OpenVINO does not give the model's \(direction.rawValue) \(index)"
        ) { find(handle.pointer, index, $0) }
    }

    private func anyName(of port: Handle) -> String? {
        var name: UnsafeMutablePointer<CChar>?
        guard library.functions.ov_port_get_any_name(port.pointer, &name) == 0, let name else { return nil }
        defer { library.functions.ov_free(name) }
        return String(cString: name)
    }

    private func describe(_ port: Handle, _ subject: String) throws(HalcyonError) -> RawPort {
        let functions = library.functions
        var elementType: openvino_element_type_t = 0
        try library.check(
            functions.ov_port_get_element_type(port.pointer, &elementType),
            "OpenVINO does not know the type of \(subject)")
        var shape = openvino_partial_shape_t()
        try library.check(
            functions.ov_port_get_partial_shape(port.pointer, &shape), "OpenVINO does not know the shape of \(subject)")
        defer { functions.ov_partial_shape_free(&shape) }
        var dimensions: [Port.Dimension]?
        if shape.rank.minimum == shape.rank.maximum {
            dimensions = UnsafeBufferPointer(start: shape.dimensions, count: max(Int(shape.rank.minimum), 0)).map {
                Port.Dimension(minimum: max($0.minimum, 0), maximum: $0.maximum < 0 ? nil : $0.maximum)
            }
        }
        return RawPort(anyName: anyName(of: port), elementType: elementType, dimensions: dimensions)
    }
}

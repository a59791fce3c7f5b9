internal import COpenVINO
internal import LibraryFiles
internal import Tensors

/// An input or an output, before it has the name that the configuration calls it by.
struct RawPort {
    /// One of the names that the model has for it; it may have none.
    var anyName: String?
    var elementType: openvino_element_type_t
    var dimensions: [Port.Dimension]?
}

/// The inputs and outputs of a model as the engine tells them, whether it is compiled or not.
struct PortTable: Sendable {
    private let library: Library
    private let model: Handle
    private let isCompiled: Bool

    /// - Parameter model: what `ov_core_read_model` gave, or, with `isCompiled`, a compiled model.
    init(of model: Handle, isCompiled: Bool, library: Library) {
        self.library = library
        self.model = model
        self.isCompiled = isCompiled
    }

    func ports(_ direction: Port.Direction) throws(HalcyonError) -> [RawPort] {
        let functions = library.functions
        let size =
            switch (direction, isCompiled) {
            case (.input, false): functions.ov_model_inputs_size
            case (.output, false): functions.ov_model_outputs_size
            case (.input, true): functions.ov_compiled_model_inputs_size
            case (.output, true): functions.ov_compiled_model_outputs_size
            }
        var count = 0
        try library.check(size(model.pointer, &count), "OpenVINO can't count the model's \(direction.rawValue)s")
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
            switch (direction, isCompiled) {
            case (.input, false): functions.ov_model_const_input_by_name
            case (.output, false): functions.ov_model_const_output_by_name
            case (.input, true): functions.ov_compiled_model_input_by_name
            case (.output, true): functions.ov_compiled_model_output_by_name
            }
        var pointer: OpaquePointer?
        guard find(model.pointer, name, &pointer) == 0, let pointer else { return nil }
        let port = Handle(pointer, free: functions.ov_output_const_port_free)
        guard let anyName = anyName(of: port) else { return nil }
        return ports.firstIndex { $0.anyName == anyName }
    }

    private func rawPort(_ direction: Port.Direction, _ index: Int) throws(HalcyonError) -> Handle {
        let functions = library.functions
        let find =
            switch (direction, isCompiled) {
            case (.input, false): functions.ov_model_const_input_by_index
            case (.output, false): functions.ov_model_const_output_by_index
            case (.input, true): functions.ov_compiled_model_input_by_index
            case (.output, true): functions.ov_compiled_model_output_by_index
            }
        return try library.make(
            free: functions.ov_output_const_port_free,
            "OpenVINO does not give the model's \(direction.rawValue) \(index)"
        ) { find(model.pointer, index, $0) }
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

internal import COpenVINO
internal import LibraryFiles
internal import Tensors

/// A model as the engine read it from its file, before it is compiled.
final class SourceModel: Sendable {
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

    /// Its inputs and outputs, as they are when one asks.
    var ports: PortTable { PortTable(of: handle, isCompiled: false, library: library) }

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
}

internal import COnnxRuntime
internal import CUDADriver
private import Glibc
internal import LibraryFiles
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// A model that the engine has made ready. All instances of a version share one, and so its weights; the engine takes
/// runs from any thread.
final class Session: @unchecked Sendable {
    /// An input or an output, as the engine describes it.
    struct Port: Equatable, Sendable {
        var name: String
        var elementType: ElementType
        /// −1 is any size; empty for a scalar, and where the model says nothing.
        var dimensions: [Int]
        /// Whether the model has a value of its own for it, which stands where a request brings none.
        var isOptional = false
    }

    enum Direction: String, Sendable {
        case input
        case initializer
        case output
    }

    let runtime: Runtime
    /// Those that a run can't do without, and then the others.
    let inputs: [Port]
    let outputs: [Port]
    /// The outputs that are no tensors, which nothing here can hand on. They are never asked for.
    let otherOutputs: [String]
    let handle: Handle
    let runOptions: Handle?
    let certainOutputs: CertainOutputs
    let inputNames: CStrings
    let outputNames: CStrings
    /// Where the GPU's work goes, if not to streams of the engine's own. It goes after the handle, whose end may wait
    /// for it.
    private let stream: CUDAStream?

    var library: Library { runtime.library }

    /// - Throws: `invalidArgument` with the engine's complaint, where it can't read the file, or `unsupported` for an
    ///   input that is no tensor, and for an input or output that has a type that Halcyon does not know.
    init(
        runtime: Runtime, path: String, settings: SessionSettings, stream: CUDAStream? = nil
    ) throws(HalcyonError) {
        self.runtime = runtime
        self.stream = stream
        let library = runtime.library
        let functions = library.functions
        let options = try settings.options(runtime, stream: stream?.rawPointer)
        do throws(HalcyonError) {
            handle = try library.make(
                code: .invalidArgument, free: functions.release_session, "ONNX Runtime can't read '\(path)'"
            ) { functions.create_session(runtime.environment, path, options.pointer, $0) }
        } catch {
            throw EngineFailure.explained(error)
        }
        runOptions = try settings.runOptions(library)
        let found = try Self.ports(.input, of: handle, runtime)
        if let name = found.others.first {
            throw HalcyonError(
                .unsupported,
                "input '\(name)' is no tensor but a sequence, a map or optional, which the onnxruntime backend does "
                    + "not take"
            )
        }
        // An initializer that is no tensor keeps the value that it has.
        inputs = found.tensors + (try Self.ports(.initializer, of: handle, runtime).tensors)
        (outputs, otherOutputs) = try Self.ports(.output, of: handle, runtime)
        certainOutputs = CertainOutputs(count: outputs.count)
        inputNames = CStrings(inputs.map(\.name))
        outputNames = CStrings(outputs.map(\.name))
    }

    /// Runs the model.
    ///
    /// - Parameters:
    ///   - values: one for each of `given`.
    ///   - given: positions in ``inputs``.
    ///   - wanted: positions in ``outputs``.
    ///   - targets: values that are there already, into which the engine writes, by position in `wanted`.
    /// - Returns: one value for each of `wanted`.
    func run(
        _ values: [InputValue], given: [Int], wanted: [Int], into targets: [Int: Handle] = [:]
    ) throws(HalcyonError) -> [Handle] {
        let functions = library.functions
        let inputs: [OpaquePointer] = values.map(\.handle.pointer)
        let givenNames = given.map { inputNames[$0] }
        let names = wanted.map { outputNames[$0] }
        var results = [OpaquePointer?](repeating: nil, count: wanted.count)
        for (position, target) in targets { results[position] = target.pointer }
        let status = functions.run(
            handle.pointer, runOptions?.pointer, givenNames, inputs, inputs.count, names, names.count, &results)
        let outputs = results.indices.compactMap { position in
            targets[position] ?? results[position].map { Handle($0, free: functions.release_value) }
        }
        try library.check(status, "the inference failed")
        guard outputs.count == wanted.count else {
            throw HalcyonError(
                .unsupported, "the model left out an optional output, which the onnxruntime backend does not take")
        }
        return outputs
    }

    // MARK: Ports

    private static func ports(
        _ direction: Direction, of session: Handle, _ runtime: Runtime
    ) throws(HalcyonError) -> (tensors: [Port], others: [String]) {
        let library = runtime.library
        let functions = library.functions
        let count =
            switch direction {
            case .input: functions.session_get_input_count
            case .initializer: functions.session_get_overridable_initializer_count
            case .output: functions.session_get_output_count
            }
        var total = 0
        try library.check(count(session.pointer, &total), "ONNX Runtime can't count the model's \(direction)s")
        var ports: [Port] = []
        var others: [String] = []
        for index in 0..<total {
            let name = try name(direction, index, of: session, runtime)
            let described: Port?
            do throws(HalcyonError) {
                described = try describe(direction, index, name, of: session, library)
            } catch  where direction == .initializer && error.code == .unsupported {
                // The model runs with the value that it has.
                continue
            }
            if var port = described {
                port.isOptional = direction == .initializer
                ports.append(port)
            } else {
                others.append(name)
            }
        }
        return (ports, others)
    }

    private static func name(
        _ direction: Direction, _ index: Int, of session: Handle, _ runtime: Runtime
    ) throws(HalcyonError) -> String {
        let functions = runtime.library.functions
        let find =
            switch direction {
            case .input: functions.session_get_input_name
            case .initializer: functions.session_get_overridable_initializer_name
            case .output: functions.session_get_output_name
            }
        var text: UnsafeMutablePointer<CChar>?
        let attempt = "ONNX Runtime does not give the name of \(direction) \(index)"
        try runtime.library.check(find(session.pointer, index, runtime.allocator, &text), attempt)
        guard let text else { throw HalcyonError(.internal, attempt) }
        defer {
            if let status = functions.allocator_free(runtime.allocator, text) { functions.release_status(status) }
        }
        return String(cString: text)
    }

    /// - Returns: `nil` for what is no tensor.
    private static func describe(
        _ direction: Direction, _ index: Int, _ name: String, of session: Handle, _ library: Library
    ) throws(HalcyonError) -> Port? {
        let functions = library.functions
        let find =
            switch direction {
            case .input: functions.session_get_input_type_info
            case .initializer: functions.session_get_overridable_initializer_type_info
            case .output: functions.session_get_output_type_info
            }
        let attempt = "ONNX Runtime does not know the type of \(direction) '\(name)'"
        let type = try library.make(free: functions.release_type_info, attempt) {
            find(session.pointer, index, $0)
        }
        var tensor: OpaquePointer?
        try library.check(functions.cast_type_info_to_tensor_info(type.pointer, &tensor), attempt)
        guard let tensor else { return nil }
        let (number, dimensions) = try typeAndShape(tensor, library, attempt)
        guard let elementType = ElementType(onnxNumber: number) else {
            throw HalcyonError(
                .unsupported,
                "\(direction) '\(name)' has the element type \(ElementType.onnxName(number)), which the onnxruntime "
                    + "backend does not take")
        }
        return Port(name: name, elementType: elementType, dimensions: dimensions)
    }

    static func typeAndShape(
        _ tensor: OpaquePointer, _ library: Library, _ attempt: @autoclosure () -> String
    ) throws(HalcyonError) -> (elementType: onnxruntime_element_type_t, dimensions: [Int]) {
        let functions = library.functions
        var elementType: onnxruntime_element_type_t = 0
        try library.check(functions.get_tensor_element_type(tensor, &elementType), attempt())
        var rank = 0
        try library.check(functions.get_dimensions_count(tensor, &rank), attempt())
        var dimensions = [Int64](repeating: 0, count: rank)
        try library.check(functions.get_dimensions(tensor, &dimensions, rank), attempt())
        return (elementType, dimensions.map { $0 < 0 ? TensorShape.variable : Int($0) })
    }
}

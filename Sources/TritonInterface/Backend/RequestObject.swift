internal import CTriton
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A request that a backend holds, from its execution until it is given back.
package final class RequestObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .request }
    let source: any RequestSource
    let model: ModelObject
    /// Where its instance remembers it; `nil` where it need not.
    let held: HeldRequests?
    /// What has been handed out so far, by position.
    private struct Parts {
        /// Empty before the first is asked for.
        var inputs: [InputObject?] = []
        var texts: [String: CText] = [:]
        var states: [StateObject] = []
        /// Empty before the first is asked for.
        var parameters: [ParameterPart?] = []
        /// Whether it could not be put back.
        var isRefused = false
    }
    private let parts = Locked(Parts())

    init(_ source: any RequestSource, of model: ModelObject, held: HeldRequests? = nil) {
        self.source = source
        self.model = model
        self.held = held
    }

    /// The outputs that the caller wants, or all.
    var outputNames: [String] {
        let requested = source.requestedOutputs
        return requested.isEmpty ? model.outputNames : requested
    }

    /// A text that lives as long as the request.
    func text(_ text: String) -> UnsafePointer<CChar> {
        parts.withLock { parts in
            if let known = parts.texts[text] { return known.pointer }
            let made = CText(text)
            parts.texts[text] = made
            return made.pointer
        }
    }

    /// - Throws: `invalidArgument` for a position that no input has.
    func input(at index: Int) throws(HalcyonError) -> InputObject {
        let tensors = source.inputs
        guard tensors.indices.contains(index) else {
            throw HalcyonError(
                .invalidArgument, "there is no input number \(index): the request has \(tensors.count)")
        }
        return try parts.withLock { parts throws(HalcyonError) in
            if parts.inputs.isEmpty { parts.inputs = Array(repeating: nil, count: tensors.count) }
            if let known = parts.inputs[index] { return known }
            let made = try InputObject(tensors[index], name: model.text(tensors[index].name))
            parts.inputs[index] = made
            return made
        }
    }

    /// - Throws: `invalidArgument` for a name that no input has.
    func input(named name: String) throws(HalcyonError) -> InputObject {
        guard let index = source.inputs.firstIndex(where: { $0.name == name }) else {
            let names = source.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw HalcyonError(.invalidArgument, "the request has no input '\(name)', but \(names)")
        }
        return try input(at: index)
    }

    func add(_ state: StateObject) { parts.withLock { $0.states.append(state) } }

    func parameter(at index: Int) throws(HalcyonError) -> ParameterPart {
        let parameters = source.parameters
        guard parameters.indices.contains(index) else {
            throw HalcyonError(
                .invalidArgument, "there is no parameter number \(index): the request has \(parameters.count)")
        }
        return parts.withLock { parts in
            if parts.parameters.isEmpty { parts.parameters = Array(repeating: nil, count: parameters.count) }
            if let known = parts.parameters[index] { return known }
            let made = ParameterPart(parameters[index])
            parts.parameters[index] = made
            return made
        }
    }

    /// - Throws: where the backend can't put it back.
    func checkPutBack() throws(HalcyonError) {
        do throws(HalcyonError) {
            try source.checkPutBack()
        } catch {
            parts.withLock { $0.isRefused = true }
            throw error
        }
    }

    /// The backend has done with its inputs. One that it could not put back, and has not answered, ends with that.
    func giveBack() {
        if parts.withLock({ $0.isRefused }) { source.fail(.cannotBePutBack) }
        source.giveBack()
    }

    /// The pointers that were made of its parts go with the request.
    func end() {
        let (inputs, states) = parts.withLock { parts in
            defer { (parts.inputs, parts.states) = ([], []) }
            return (parts.inputs, parts.states)
        }
        for state in states { state.end() }
        for case let input? in inputs { input.end() }
    }
}

/// A parameter of a request as C reads it.
final class ParameterPart: @unchecked Sendable {
    let name: CText
    let type: TRITONSERVER_ParameterType
    /// Of a text, its first byte; of anything else, its 8 bytes.
    let value: UnsafeRawPointer
    private let text: CText?
    private let memory: UnsafeMutableRawPointer?

    init(_ parameter: InferenceParameter) {
        name = CText(parameter.name)
        func cell<Value>(_ value: Value) -> UnsafeMutableRawPointer {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
            memory.initializeMemory(as: UInt64.self, repeating: 0, count: 1)
            memory.storeBytes(of: value, as: Value.self)
            return memory
        }
        switch parameter.value {
        case .string(let string):
            let made = CText(string)
            (type, text, memory, value) = (TRITONSERVER_PARAMETER_STRING, made, nil, UnsafeRawPointer(made.pointer))
        case .bool(let flag):
            let made = cell(flag ? UInt8(1) : 0)
            (type, text, memory, value) = (TRITONSERVER_PARAMETER_BOOL, nil, made, UnsafeRawPointer(made))
        case .integer(let number):
            let made = cell(number)
            (type, text, memory, value) = (TRITONSERVER_PARAMETER_INT, nil, made, UnsafeRawPointer(made))
        case .unsigned(let number):
            let made = cell(Int64(bitPattern: number))
            (type, text, memory, value) = (TRITONSERVER_PARAMETER_INT, nil, made, UnsafeRawPointer(made))
        case .number(let number):
            let made = cell(number)
            (type, text, memory, value) = (TRITONSERVER_PARAMETER_DOUBLE, nil, made, UnsafeRawPointer(made))
        }
    }

    deinit { memory?.deallocate() }
}

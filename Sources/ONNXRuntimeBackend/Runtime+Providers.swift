internal import COnnxRuntime
internal import LibraryFiles
internal import Tensors

extension Runtime {
    /// Lets an execution provider take part in a session; the first that is appended comes first.
    ///
    /// - Parameter stream: where a GPU's work goes; `nil` for streams of the provider's own.
    /// - Throws: `unsupported` where the library has no such provider; `unavailable` where it does not start, for a
    ///   library of CUDA that is missing for instance.
    func append(
        _ provider: ExecutionProvider, to options: Handle, stream: UnsafeMutableRawPointer?
    ) throws(HalcyonError) {
        try provider.check(providers, version: library.version)
        let attempt = Self.attempt(provider)
        do throws(HalcyonError) {
            switch provider.kind {
            case .cuda: try append(provider, by: cudaFunctions, to: options, stream: stream, attempt)
            case .tensorRT: try append(provider, by: tensorRTFunctions, to: options, stream: stream, attempt)
            case .openVINO: try appendOpenVINO(provider, to: options, attempt)
            }
        } catch {
            let explained = EngineFailure.explained(error)
            throw HalcyonError(explained.code == .internal ? .unavailable : explained.code, explained.message)
        }
    }

    /// - Returns: what hinders the provider of CUDA from starting.
    func findCUDA() -> HalcyonError? {
        do throws(HalcyonError) {
            let functions = library.functions
            let options = try library.make(free: functions.release_session_options, "ONNX Runtime takes no settings") {
                functions.create_session_options($0)
            }
            try append(ExecutionProvider(kind: .cuda), to: options, stream: nil)
            return nil
        } catch {
            return error
        }
    }

    private static func attempt(_ provider: ExecutionProvider) -> String {
        "ONNX Runtime's \(provider.kind.rawValue) can't be used"
    }

    /// The functions for a provider whose options are an object of their own; `nil` for those that the library lacks.
    private struct OptionFunctions {
        var create: ((UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?)?
        var update:
            (
                (OpaquePointer, UnsafePointer<UnsafePointer<CChar>>, UnsafePointer<UnsafePointer<CChar>>, Int) ->
                    OpaquePointer?
            )?
        var setValue: ((OpaquePointer, UnsafePointer<CChar>, UnsafeMutableRawPointer?) -> OpaquePointer?)?
        var release: (@convention(c) (OpaquePointer) -> Void)?
        var append: ((OpaquePointer, OpaquePointer) -> OpaquePointer?)?
    }

    private var cudaFunctions: OptionFunctions {
        let functions = library.functions
        return OptionFunctions(
            create: functions.create_cuda_options, update: functions.update_cuda_options,
            setValue: functions.set_cuda_value, release: functions.release_cuda_options,
            append: functions.append_cuda_provider)
    }

    private var tensorRTFunctions: OptionFunctions {
        let functions = library.functions
        return OptionFunctions(
            create: functions.create_tensorrt_options, update: functions.update_tensorrt_options,
            setValue: functions.set_tensorrt_value, release: functions.release_tensorrt_options,
            append: functions.append_tensorrt_provider)
    }

    private func append(
        _ provider: ExecutionProvider, by functions: OptionFunctions, to options: Handle,
        stream: UnsafeMutableRawPointer?, _ attempt: String
    ) throws(HalcyonError) {
        guard let create = functions.create, let update = functions.update, let release = functions.release,
            let append = functions.append
        else { throw tooOld(provider) }
        let settings = try library.make(free: release, attempt) { create($0) }
        try library.check(
            CStringList.with(provider.options) { update(settings.pointer, $0, $1, $2) }, code: .invalidArgument, attempt
        )
        if let stream, let set = functions.setValue {
            try library.check(set(settings.pointer, "user_compute_stream", stream), attempt)
        }
        try library.check(append(options.pointer, settings.pointer), attempt)
    }

    private func appendOpenVINO(
        _ provider: ExecutionProvider, to options: Handle, _ attempt: String
    ) throws(HalcyonError) {
        guard let append = library.functions.append_provider else { throw tooOld(provider) }
        try library.check(
            CStringList.with(provider.options) { append(options.pointer, "OpenVINO", $0, $1, $2) }, attempt)
    }

    private func tooOld(_ provider: ExecutionProvider) -> HalcyonError {
        HalcyonError(
            .unsupported,
            "ONNX Runtime \(library.version) is too old for the \(provider.kind.rawValue): that needs 1.12 or newer")
    }

    /// Whether a session can be given a stream of ours.
    var takesStreams: Bool { library.functions.set_cuda_value != nil && library.functions.set_tensorrt_value != nil }
}

/// Options as two lists of texts.
private enum CStringList {
    static func with<Result>(
        _ options: [String: String],
        _ body: (UnsafePointer<UnsafePointer<CChar>>, UnsafePointer<UnsafePointer<CChar>>, Int) -> Result
    ) -> Result {
        let sorted = options.sorted { $0.key < $1.key }
        let keys = CStrings(sorted.map(\.key))
        let values = CStrings(sorted.map(\.value))
        return withExtendedLifetime((keys, values)) { body(keys.pointers, values.pointers, sorted.count) }
    }
}

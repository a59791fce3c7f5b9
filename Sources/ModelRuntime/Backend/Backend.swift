/// An execution engine. It makes models from files, or from nothing but a configuration.
///
/// A backend is registered under its name, which is what `backend: "…"` in a configuration refers to. All methods may
/// be called from any thread, several at a time.
public protocol Backend: Sendable {
    /// The name in a configuration, `openvino` for instance.
    var name: String { get }

    /// The names that a model file or folder of this engine usually has inside a version folder, most usual first.
    /// Empty for a backend that needs no file.
    var modelFilenames: [String] { get }

    /// Whether the engine itself is on this machine. Where it is not, another that reads the same file may run a model.
    var isInstalled: Bool { get }

    /// What the backend can do with a GPU. It is asked where the machine has one.
    var gpuSupport: GPUSupport { get }

    /// Whether it acts on `optimization.execution_accelerators`.
    var takesExecutionAccelerators: Bool { get }

    /// Opens a model: reads it as far as its signature needs, and leaves the costly part to
    /// ``BackendModel/prepare(for:plan:)``.
    ///
    /// - Throws: `HalcyonError` that names the file and says what is wrong with it; where the engine itself is missing,
    ///   what to install.
    func openModel(_ source: ModelSource) throws -> any BackendModel
}

extension Backend {
    /// By default the backend is there wherever the program is.
    public var isInstalled: Bool { true }
    /// By default models run on the processor.
    public var gpuSupport: GPUSupport { .none }
    /// By default execution accelerators are not looked at.
    public var takesExecutionAccelerators: Bool { false }
}

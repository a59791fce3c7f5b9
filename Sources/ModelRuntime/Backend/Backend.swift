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

    /// Whether it is told among the backends that there are, and found by the end of a model's name. What is not listed
    /// runs those models only whose configuration names it.
    var isListed: Bool { get }

    /// What the backend can do with a GPU. It is asked where the machine has one.
    var gpuSupport: GPUSupport { get }

    /// Whether it acts on `optimization.execution_accelerators`.
    var takesExecutionAccelerators: Bool { get }

    /// Whether it is a library that `runtime` in a configuration may name.
    var takesRuntime: Bool { get }

    /// Whether it runs each model in a process of the model's own, as that for Python does. Isolating all models leaves
    /// such a one as it is, unless the model asks for it.
    var runsModelsInOwnProcesses: Bool { get }

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
    /// By default the backend is one that people may choose.
    public var isListed: Bool { true }
    /// By default models run on the processor.
    public var gpuSupport: GPUSupport { .none }
    /// By default execution accelerators are not looked at.
    public var takesExecutionAccelerators: Bool { false }
    /// By default the backend is part of the program.
    public var takesRuntime: Bool { false }
    /// By default models run in the process that opens them.
    public var runsModelsInOwnProcesses: Bool { false }
}

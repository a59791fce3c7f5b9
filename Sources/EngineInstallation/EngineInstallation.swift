/// Installs an engine for this machine: the version that is pinned, checked by its checksum.
///
/// The work is done by a Python program, as Python's `pip` is what downloads the engines; this says how to start it.
package struct EngineInstallation: Hashable, Sendable {
    /// An engine that is pinned.
    package enum Engine: String, Hashable, Sendable, CaseIterable {
        case openvino
        case onnxruntime
    }

    package var engine: Engine
    /// Where engines lie, each in a folder of its own.
    package var folder: String
    /// A downloaded wheel; `nil` to download it.
    package var wheel: String?
    /// Whether to install it where it is installed already.
    package var again = false

    package init(_ engine: Engine, in folder: String, wheel: String? = nil, again: Bool = false) {
        self.engine = engine
        self.folder = folder
        self.wheel = wheel
        self.again = again
    }

    /// What follows `python3` on the command line.
    package var arguments: [String] {
        [
            "-c", Self.text(PackageResources.install_engine_py), Self.text(PackageResources.engines_json),
            engine.rawValue, folder, wheel ?? "", again ? "again" : "",
        ]
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Where engines are put if nobody says: where every user's programs look for them, or only the user's own.
    ///
    /// - Returns: `nil` for a user without a home.
    package static func folder(isRoot: Bool, variables: [String: String]) -> String? {
        if isRoot { return "/usr/local/lib/halcyon/backends" }
        if let data = variables["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/halcyon/backends" }
        guard let home = variables["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.local/share/halcyon/backends"
    }
}

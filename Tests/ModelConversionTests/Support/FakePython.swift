import Foundation
import HalcyonTestKit

@testable import ModelConversion

/// A program that answers as Python, its package installer and the converter do, by what its variables say, and writes
/// down what it was asked.
struct FakePython {
    let folder: URL
    var variables: [String: String]

    /// - Parameter worker: shell lines in the converter's place; `$1` is the order, `$OUT` the folder to write into.
    init(worker: String = FakePython.success) throws {
        folder = try TemporaryFolder.make()
        let script = """
            #!/bin/sh
            echo "$@" | tr '\\n' ' ' >> "\(folder.path)/calls"
            echo >> "\(folder.path)/calls"
            case "$1" in
            -c)
                echo "python ${FAKE_VERSION:-3 11}"
                exit "${FAKE_ENSUREPIP:-0}" ;;
            -m)
                case "$2" in
                venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit "${FAKE_VENV:-0}" ;;
                pip) echo "Collecting openvino (from -r list)"; echo "${FAKE_PIP_WORDS:-done}" >&2; exit \
                "${FAKE_PIP:-0}" ;;
                esac ;;
            */convert_model.py)
                OUT=$(sed 's/.*"output_dir":"\\([^"]*\\)".*/\\1/' "$2")
                shift
            \(worker)
            ;;
            esac
            """
        try Program.write(script, to: folder.appendingPathComponent("python").path)
        variables = ["PATH": "/usr/bin:/bin"]
    }

    var program: String { folder.appendingPathComponent("python").path }
    var environment: String { folder.appendingPathComponent("environment").path }

    var calls: [String] {
        let text = (try? String(contentsOf: folder.appendingPathComponent("calls"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    func calls(of what: String) -> Int { calls.count { $0.contains(what) } }

    func options() -> Conversion.Options {
        var options = Conversion.Options(environment: environment, variables: variables)
        options.python = program
        return options
    }

    /// Writes two files and says what they hold.
    static let success = """
        echo '{"step": "reading the model", "seconds": 0.0}'
        echo '{"progress": {"done": 1, "total": 2}}'
        echo '{"notice": "a notice"}'
        echo graph > "$OUT/model.xml"; echo weights > "$OUT/model.bin"
        echo '\(result())'
        """

    static func result(files: String = "\"model.xml\",\"model.bin\"", more: String = "") -> String {
        """
        {"result": {"inputs": [{"name":"x","type":"FP32","dims":[3,8,8],"format":"FORMAT_NCHW"}], \
        "outputs": [{"name":"y","type":"FP32","dims":[]}], "max_batch": 4, "files": [\(files)], "precision": \
        "fp32"\(more)}}
        """
    }
}

enum Program {
    /// Makes a program that can be started at once.
    ///
    /// Another process writes it: a child that is being started by another test would hold a file that this one writes
    /// for a moment, and a program that somebody has open for writing can't be started.
    static func write(_ script: String, to path: String) throws {
        let draft = try TemporaryFolder.make().appendingPathComponent("draft").path
        try Data(script.utf8).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: draft)
        let copy = ChildProcess(
            executable: "/bin/cp", arguments: ["-p", draft, path], environment: [:], directory: "/")
        guard try copy.run(interrupts: .none, line: { _, _ in }) == .exited(0) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }
}

/// What a console was told.
final class CollectingConsole {
    private(set) var text = ""
    lazy var console = Console(isTerminal: false) { self.text += $0 }
}

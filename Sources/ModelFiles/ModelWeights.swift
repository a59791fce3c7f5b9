private import Glibc
internal import ProtobufWire
package import Tensors

/// Holds what a model consists of to the folder that it lies in, before an engine sees it.
///
/// ONNX files name the files of their weights, and older PaddlePaddle folders have a file for each. OpenVINO IR,
/// TensorFlow saved models, TensorFlow Lite and frozen graphs name none: the engines look for fixed names beside the
/// file.
package enum ModelWeights {
    /// - Parameter path: the model's file or folder.
    /// - Throws: `invalidArgument` that says which weights lie where they may not. What is no model at all is the
    ///   engine's to complain of.
    package static func check(_ path: String) throws(HalcyonError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: try checkFolder(path)
        case S_IFREG: try checkFile(path)
        default: throw HalcyonError(.invalidArgument, "'\(path)' is neither a file nor a folder")
        }
    }

    /// Engines tell formats by content, whatever a file is called: so this one does as well.
    private static func checkFile(_ path: String) throws(HalcyonError) {
        guard let file = try? ModelBytes(path: path), !isText(file.bytes), !file.begins(with: "TFL3", at: 4),
            !file.begins(with: "ORTM", at: 4)
        else { return }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let locations: [WeightsLocation]
        do {
            locations = try ONNXWeights(file.bytes[...]).locations
        } catch ProtobufFields.Damage.unusual(let offset) {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is no model that can be read: a field at byte \(offset) has a form that no program writes")
        } catch let error as HalcyonError {
            throw error
        } catch {
            // Neither the engine's reader gets beyond that.
            return
        }
        // Thousands of tensors may lie in one file.
        var seen: Set<WeightsLocation> = []
        for location in locations where seen.insert(location).inserted { try location.check(in: folder) }
    }

    /// Whether it begins as a page of XML does, which is what OpenVINO's own format is.
    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let rest = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
        return rest.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "<")
    }

    /// A PaddlePaddle model of the older kind: its program, and a file for each of its variables.
    private static func checkFolder(_ folder: String) throws(HalcyonError) {
        let path = "\(folder)/__model__"
        guard access(path, F_OK) == 0 else { return }
        let file = try ModelBytes(path: path)
        do {
            for name in try PaddleProgram(file.bytes[...]).persistentVariables {
                try WeightsLocation(tensor: name, name: name).checkName()
            }
        } catch let error as HalcyonError {
            throw error
        } catch {
            throw HalcyonError(.invalidArgument, "'\(path)' is no PaddlePaddle program: \(error)")
        }
    }
}

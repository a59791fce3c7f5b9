private import Foundation
internal import Tensors
internal import Vision

/// Where one case's pictures with the boxes go: the folder that was asked for, and in it one a repository where there
/// are several.
struct OverlayFolder {
    private let folder: URL

    /// Makes the folder where it is missing.
    ///
    /// - Parameter repository: the name of the repository's folder.
    init(_ flags: Flags, repository: String) throws(HalcyonError) {
        var folder = URL(fileURLWithPath: flags.outputDir)
        if flags.repositories.count > 1 {
            folder.appendPathComponent(repository)
        }
        self.folder = folder
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw Self.failure(folder, error.localizedDescription)
        }
        guard FileManager.default.isWritableFile(atPath: folder.path) else {
            throw Self.failure(folder, "it is not writable")
        }
    }

    /// Draws and saves what each thread found, as `<picture>_overlay_<thread>.jpg`.
    ///
    /// - Returns: the paths of the pictures.
    func save(_ threads: [ThreadResult]) throws(HalcyonError) -> [String] {
        var paths: [String] = []
        for thread in threads {
            let picture = URL(fileURLWithPath: thread.image).deletingPathExtension().lastPathComponent
            let file = folder.appendingPathComponent("\(picture)_overlay_\(thread.number).jpg")
            try PictureEncoder.write(Overlay.draw(thread.detections, on: thread.picture), to: file.path)
            paths.append(file.relativePath)
        }
        return paths
    }

    private static func failure(_ folder: URL, _ reason: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "--output-dir: no pictures can be written to '\(folder.path)': \(reason)")
    }
}

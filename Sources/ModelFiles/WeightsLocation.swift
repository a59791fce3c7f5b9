private import Glibc
package import Tensors

/// Where a model says that a part of its weights lies: a name in its own text, which is the word of a stranger.
///
/// Engines take more for a location than a file's name; one of them reads memory of the process at an address that
/// stands in the model. So nothing gets to an engine but names of plain files in the folder of the model's file.
package struct WeightsLocation: Hashable, Sendable {
    /// What lies there, for errors.
    package var tensor: String
    package var name: String
    /// The first byte.
    package var offset: UInt64 = 0
    /// `nil` for up to the file's end.
    package var byteCount: UInt64?

    package init(tensor: String, name: String, offset: UInt64 = 0, byteCount: UInt64? = nil) {
        self.tensor = tensor
        self.name = name
        self.offset = offset
        self.byteCount = byteCount
    }

    /// - Throws: `invalidArgument` where the name is not one of a file in the model's own folder, or in one below it.
    package func checkName() throws(HalcyonError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isInside =
            !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(0)
            && !name.contains(where: { $0 == "\\" || $0 == "*" }) && !parts.contains("..")
            && parts.last != "." && parts.last != ""
        guard isInside else {
            throw HalcyonError(
                .invalidArgument,
                "its weights '\(tensor)' lie in '\(Self.shortened(name))', and only files in the model's own folder "
                    + "are read"
            )
        }
    }

    /// - Parameter folder: that of the model's file.
    /// - Throws: `invalidArgument` where the name is none that may be read, where no plain file has it, and where that
    ///   has fewer bytes than the model speaks of.
    package func check(in folder: String) throws(HalcyonError) {
        try checkName()
        let path = "\(folder)/\(name)"
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw HalcyonError(
                .invalidArgument,
                "its weights '\(tensor)' lie in '\(Self.shortened(name))', which is not beside the model's file: put "
                    + "'\(path)' there (\(String(cString: strerror(errno))))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HalcyonError(.invalidArgument, "its weights '\(tensor)' lie in '\(path)', which is no plain file")
        }
        let size = UInt64(clamping: status.st_size)
        let (end, overflow) = offset.addingReportingOverflow(byteCount ?? 0)
        guard !overflow, end <= size else {
            throw HalcyonError(
                .invalidArgument,
                "its weights '\(tensor)' lie at byte \(offset)\(byteCount.map { " to \(offset &+ $0)" } ?? "") of "
                    + "'\(path)', which has \(size) bytes")
        }
    }

    static func shortened(_ name: String) -> String {
        name.utf8.count <= 200 ? name : "\(name.prefix(200))…"
    }
}

private import Glibc
internal import Tensors

/// The name of a POSIX shared memory object, `/my_region` for instance, as a client gives it.
enum SharedMemoryKey {
    /// - Throws: `invalidArgument` for what can't be the name of an object (shm_open(3)): none of its own behind the
    ///   slashes, a slash within it, a zero byte, or too long.
    static func check(_ key: String, region: String) throws(HalcyonError) {
        let name = key.drop { $0 == "/" }
        let isName =
            !name.isEmpty && name != "." && name != ".." && !name.contains("/") && !key.utf8.contains(0)
            && name.utf8.count <= longest
        guard isName else {
            throw HalcyonError(
                .invalidArgument,
                "cannot register shared memory region '\(region.shortened())' - invalid shm key "
                    + "'\(key.shortened())': expected the name of a shared memory object, a slash and up to "
                    + "\(longest) bytes without another")
        }
    }

    private static let longest = Int(NAME_MAX)

    /// Why an object can't be opened: the client's fault, except for what this process or the system lacks.
    static func failure(_ key: String, _ number: Int32) -> HalcyonError {
        let sentence = "Unable to open shared memory region: '\(key.shortened())'"
        return switch number {
        case ENOENT:
            HalcyonError(.invalidArgument, "\(sentence): there is no such object; it is made before it is registered")
        case EACCES, EPERM:
            HalcyonError(.invalidArgument, "\(sentence): the server's user may not read and write it")
        case EMFILE, ENFILE, ENOMEM:
            HalcyonError(.unavailable, "\(sentence): \(String(cString: strerror(number)))")
        default: HalcyonError(.invalidArgument, "\(sentence): \(String(cString: strerror(number)))")
        }
    }
}

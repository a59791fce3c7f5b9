internal import Tensors

/// What an operator may write for a model repository.
enum RepositoryPath {
    /// The path of a folder: as it is written, or what a `file://` address says.
    ///
    /// - Throws: `unsupported` for stores that are no folders, with what to do in place of that.
    static func local(_ path: String) throws(HalcyonError) -> String {
        guard let separator = path.firstRange(of: "://") else { return path }
        let scheme = path[..<separator.lowerBound].lowercased()
        guard !scheme.isEmpty, scheme.utf8.allSatisfy(isOfScheme) else { return path }
        var rest = path[separator.upperBound...]
        if scheme == "file" {
            if rest.hasPrefix("localhost/") { rest = rest.dropFirst("localhost".count) }
            guard rest.hasPrefix("/") else {
                throw HalcyonError(
                    .invalidArgument,
                    "the model repository '\(path)' names another machine: a file:// address is file:// and an "
                        + "absolute path, file:///models for instance")
            }
            return String(rest)
        }
        throw HalcyonError(
            .unsupported,
            "the model repository '\(path)' is not a folder but \(store(scheme)), which \(reader(scheme)): "
                + "mount it as a folder, or copy it into one\(copy(scheme, path)), and name that folder")
    }

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
    }

    private static func store(_ scheme: String) -> String {
        switch scheme {
        case "s3": "a store of Amazon S3 or the like"
        case "gs": "a store of Google Cloud"
        case "as", "az", "abfs", "abfss", "wasb", "wasbs": "a store of Azure"
        case "http", "https": "an address of the web"
        case "hf": "a repository of Hugging Face"
        default: "an address with the scheme '\(scheme)'"
        }
    }

    /// Who reads it.
    private static func reader(_ scheme: String) -> String {
        ["s3", "gs", "as", "http", "https"].contains(scheme)
            ? "an application reads by way of a RepositorySource" : "is not read"
    }

    private static func copy(_ scheme: String, _ path: String) -> String {
        switch scheme {
        case "s3": " (aws s3 sync \(path) models)"
        case "gs": " (gcloud storage rsync -r \(path) models)"
        case "as", "az", "abfs", "abfss": " (with azcopy sync, for instance)"
        case "hf": " (with hf download, for instance)"
        default: ""
        }
    }

    /// What to add where there is nothing at a path; empty where nothing is known.
    static func advice(_ path: String) -> String {
        if path.hasPrefix("~") {
            return
                ": the shell puts the home folder for ~ only at the beginning of a word, so write --model-repository "
                + "\(path) without = between them, or $HOME"
        }
        return path.hasPrefix("/") ? "" : ": it is taken from the folder in which the server was started"
    }
}

internal import JSONText
internal import ModelRuntime
internal import Tensors
internal import TritonInterface

/// The cache for answers of models whose configuration has `response_cache { enable: true }`.
public struct ResponseCacheOptions: Hashable, Sendable {
    /// `local` is part of the server, unless ``ServerOptions/cacheDirectory`` has a library of that name. Any other is
    /// a library, `<name>/libtritoncache_<name>.so`.
    public var name: String
    /// What the cache is told: a JSON object, whose values are texts. The server's own has `size`, in bytes.
    public var configuration: String

    /// A cache of that name.
    public init(name: String, configuration: String) {
        self.name = name
        self.configuration = configuration
    }

    /// - Parameter named: the folder that the operator names; `nil` for none.
    /// - Parameter directories: where libraries are looked for otherwise.
    /// - Throws: `invalidArgument` for a configuration that is none, and where there is no such library, or it is
    ///   damaged; what the library says.
    func cache(
        in named: String?, otherwise directories: [String], options: ServerOptions
    ) throws(HalcyonError) -> (any AnswerCache)? {
        guard !name.isEmpty, !name.contains("/") else {
            throw HalcyonError(.invalidArgument, "a response cache can't be called '\(name)'")
        }
        let members = try members
        let places = named.map { [$0] } ?? directories
        if name == Self.ownName, named.map({ TritonCache.exists(name, in: [$0]) }) != true {
            let size = try Self.size(members, configuration)
            return size > 0 ? ResponseCache(byteLimit: size) : nil
        }
        return try TritonCache(name, configuration: configuration, directories: places, log: options.log)
    }

    private static let ownName = "local"

    /// How deep a configuration may be nested.
    private static let depth = 8

    private var members: [JSONValue.Member] {
        get throws(HalcyonError) {
            var text = configuration
            let document = text.withUTF8 { bytes -> JSONValue? in
                var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: Self.depth)
                return try? scanner.value()
            }
            guard case .object(let members)? = document else {
                throw HalcyonError(
                    .invalidArgument, "the settings of the cache '\(name)' are no JSON object: '\(configuration)'")
            }
            return members
        }
    }

    /// Bytes, as a number or as text.
    private static func size(_ members: [JSONValue.Member], _ json: String) throws(HalcyonError) -> Int {
        var size: Int?
        for member in members {
            guard member.key == "size" else {
                throw HalcyonError(
                    .invalidArgument, "the cache '\(ownName)' has no setting '\(member.key)', only 'size'")
            }
            switch member.value {
            case .integer(let number): size = Int(exactly: number)
            case .string(let number): size = Int(number)
            default: size = nil
            }
        }
        guard let size, size >= 0 else {
            throw HalcyonError(
                .invalidArgument, "the cache '\(ownName)' has the settings \(json), expected {\"size\": \"BYTES\"}")
        }
        return size
    }
}

extension ServerOptions {
    /// The cache that the options name; `nil` for none.
    func answerCache() throws(HalcyonError) -> (any AnswerCache)? {
        guard let responseCache else {
            return responseCacheByteSize > 0 ? ResponseCache(byteLimit: responseCacheByteSize) : nil
        }
        return try responseCache.cache(in: cacheDirectory, otherwise: Self.cacheDirectories, options: self)
    }

    /// Where Triton's releases have their caches.
    private static let cacheDirectories = ["/opt/tritonserver/caches"]
}

internal import Halcyon
internal import JSONText
internal import Tensors

/// `--cache-config`: `cache,setting=value`, all of the same cache.
enum CacheSettings {
    /// - Returns: `nil` without settings.
    /// - Throws: `invalidArgument` for another form, or for a second cache.
    static func cache(_ settings: [String]) throws(HalcyonError) -> ResponseCacheOptions? {
        var cache: String?
        var members: [JSONValue.Member] = []
        for setting in settings {
            guard let comma = setting.firstIndex(of: ","),
                let equals = setting[comma...].firstIndex(of: "="), comma > setting.startIndex,
                setting.index(after: comma) < equals
            else {
                throw HalcyonError(
                    .invalidArgument, "--cache-config takes cache,setting=value (local,size=BYTES), got '\(setting)'")
            }
            let name = String(setting[..<comma])
            guard cache == nil || cache == name else {
                throw HalcyonError(
                    .invalidArgument, "--cache-config names two caches, '\(cache ?? "")' and '\(name)': there is one")
            }
            cache = name
            let key = String(setting[setting.index(after: comma)..<equals])
            members.removeAll { $0.key == key }
            members.append(JSONValue.Member(key, .string(String(setting[setting.index(after: equals)...]))))
        }
        return cache.map { ResponseCacheOptions(name: $0, configuration: JSONValue.object(members).compact) }
    }
}

internal import URIText

extension HTTPRoute {
    /// The route of a path of the page, or `nil` where there is none.
    init?(pagePath path: Substring) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
            .map(Substring.init)
        switch parts.count {
        case 1 where parts == [""]: self = .page("index.html")
        case 2 where parts == ["page", "events"]: self = .events(nil)
        case 2 where parts[0] == "page": self = .page(String(parts[1]))
        case 5 where parts[0] == "page" && parts[1] == "events" && parts[3] == "versions":
            guard let target = Target(parts[2], version: parts[4]) else { return nil }
            self = .events(target)
        case 6 where parts[0] == "page" && parts[1] == "models" && parts[3] == "versions" && parts[5] == "infer":
            guard let target = Target(parts[2], version: parts[4]) else { return nil }
            self = .tryOut(target)
        default: return nil
        }
    }
}

extension HTTPRoute.Target {
    fileprivate init?(_ name: Substring, version: Substring) {
        guard let model = PercentEncoding.decode(name), !model.isEmpty, let version = Int64(version), version >= 0
        else {
            return nil
        }
        self.init(model: model, version: version)
    }
}

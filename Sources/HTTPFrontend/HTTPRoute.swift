internal import KServeProtocol
internal import NIOHTTP1
internal import URIText

/// Where a request's path leads. Every route belongs to one part of the protocol, by which access is decided.
enum HTTPRoute: Hashable {
    case live
    case ready
    case serverMetadata
    case modelReady(Target)
    case modelMetadata(Target)
    case modelConfiguration(Target)
    case infer(Target)
    case generate(Target, isStream: Bool)
    /// Of all models where there is no target.
    case statistics(Target?)
    /// The last batches of a model.
    case batches(Target)
    case repositoryIndex
    case load(String)
    case unload(String)
    case sharedMemoryStatus(String?)
    case sharedMemoryRegister(String)
    case sharedMemoryUnregister(String?)
    /// Memory of GPUs.
    case deviceMemoryStatus(String?)
    case deviceMemoryRegister(String)
    case deviceMemoryUnregister(String?)
    case logging
    case trace(String?)
    /// A file of the page; its live figures, with the batches of a model or without; and requests that it sends.
    case page(String)
    case events(Target?)
    case tryOut(Target)

    /// A model, and one version of it or the newest.
    struct Target: Hashable {
        var model: String
        var version: Int64?
    }

    var group: APIGroup {
        switch self {
        case .live, .ready, .modelReady: .health
        case .serverMetadata, .modelMetadata, .page: .metadata
        case .modelConfiguration: .modelConfiguration
        case .infer, .generate, .tryOut: .inference
        case .statistics, .batches, .events: .statistics
        case .repositoryIndex, .load, .unload: .modelRepository
        case .sharedMemoryStatus, .sharedMemoryRegister, .sharedMemoryUnregister, .deviceMemoryStatus,
            .deviceMemoryRegister, .deviceMemoryUnregister:
            .sharedMemory
        case .logging: .logging
        case .trace: .trace
        }
    }

    func allows(_ method: HTTPMethod) -> Bool {
        switch self {
        case .infer, .generate, .repositoryIndex, .load, .unload, .sharedMemoryRegister, .sharedMemoryUnregister,
            .deviceMemoryRegister, .deviceMemoryUnregister, .tryOut:
            method == .POST
        case .logging, .trace: method == .GET || method == .POST
        default: method == .GET
        }
    }

    /// The route of a path, or `nil` where there is none.
    init?(path: Substring) {
        if let target = Self.inference(path) {
            self = .infer(target)
            return
        }
        // By bytes: a split by characters would look for where each grapheme ends.
        let slash = UInt8(ascii: "/")
        var parts = path.utf8.split(separator: slash, omittingEmptySubsequences: false).dropFirst().map(Substring.init)[
            ...]
        guard path.utf8.first == slash, parts.popFirst() == "v2" else { return nil }
        if parts.last == "" { parts.removeLast() }
        guard let first = parts.popFirst() else {
            self = .serverMetadata
            return
        }
        let route: HTTPRoute? =
            switch first {
            case "health": Self.health(parts)
            case "models": Self.model(parts)
            case "repository": Self.repository(parts)
            case "systemsharedmemory": Self.sharedMemory(parts)
            case "cudasharedmemory": Self.deviceMemory(parts)
            case "logging" where parts.isEmpty: .logging
            case "trace" where Array(parts) == ["setting"]: .trace(nil)
            default: nil
            }
        guard let route else { return nil }
        self = route
    }

    /// The target of `/v2/models/NAME/infer`, the way of nearly all requests, without a list of its parts; `nil` for
    /// any other path, and for a name that is encoded.
    private static func inference(_ path: Substring) -> Target? {
        let (start, end) = ("/v2/models/".utf8, "/infer".utf8)
        let name = path.utf8.dropFirst(start.count).dropLast(end.count)
        guard !name.isEmpty, path.utf8.starts(with: start), path.utf8.suffix(end.count).elementsEqual(end),
            !name.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") })
        else { return nil }
        return Target(model: String(Substring(name)))
    }

    private static func health(_ parts: ArraySlice<Substring>) -> HTTPRoute? {
        switch Array(parts) {
        case ["live"]: .live
        case ["ready"]: .ready
        default: nil
        }
    }

    private static func model(_ parts: ArraySlice<Substring>) -> HTTPRoute? {
        var parts = parts
        guard let first = parts.popFirst() else { return nil }
        if first == "stats", parts.isEmpty { return .statistics(nil) }
        guard let name = PercentEncoding.decode(first), !name.isEmpty else { return nil }
        var target = Target(model: name)
        if parts.first == "versions" {
            guard let version = parts.dropFirst().first, version.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int64(version)
            else { return nil }
            target.version = number
            parts = parts.dropFirst(2)
        }
        switch Array(parts) {
        case []: return .modelMetadata(target)
        case ["ready"]: return .modelReady(target)
        case ["config"]: return .modelConfiguration(target)
        case ["stats"]: return .statistics(target)
        case ["batches"]: return .batches(target)
        case ["infer"]: return .infer(target)
        case ["generate"]: return .generate(target, isStream: false)
        case ["generate_stream"]: return .generate(target, isStream: true)
        case ["trace", "setting"]: return .trace(name)
        default: return nil
        }
    }

    private static func repository(_ parts: ArraySlice<Substring>) -> HTTPRoute? {
        // A repository's own name in the path is accepted and means nothing, as in Triton.
        var parts = Array(parts)
        if parts == ["index"] || (parts.count == 2 && parts[1] == "index") { return .repositoryIndex }
        if parts.count == 4, parts[1] == "models" { parts.removeFirst() }
        guard parts.count == 3, parts[0] == "models", let name = PercentEncoding.decode(parts[1]) else { return nil }
        switch parts[2] {
        case "load": return .load(name)
        case "unload": return .unload(name)
        default: return nil
        }
    }

    private static func deviceMemory(_ parts: ArraySlice<Substring>) -> HTTPRoute? {
        switch sharedMemory(parts) {
        case .sharedMemoryStatus(let name): .deviceMemoryStatus(name)
        case .sharedMemoryRegister(let name): .deviceMemoryRegister(name)
        case .sharedMemoryUnregister(let name): .deviceMemoryUnregister(name)
        default: nil
        }
    }

    private static func sharedMemory(_ parts: ArraySlice<Substring>) -> HTTPRoute? {
        let parts = Array(parts)
        switch parts.count {
        case 1 where parts[0] == "status": return .sharedMemoryStatus(nil)
        case 1 where parts[0] == "unregister": return .sharedMemoryUnregister(nil)
        case 3 where parts[0] == "region":
            guard let name = PercentEncoding.decode(parts[1]) else { return nil }
            switch parts[2] {
            case "status": return .sharedMemoryStatus(name)
            case "register": return .sharedMemoryRegister(name)
            case "unregister": return .sharedMemoryUnregister(name)
            default: return nil
            }
        default: return nil
        }
    }
}

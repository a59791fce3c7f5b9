internal import CPlatform
internal import ConversionCommand
internal import Logging
internal import ModelRepository
internal import NIOCore
internal import NIOPosix
internal import ObjectStorage
internal import Tensors
internal import Threads

/// The model repositories that were named: folders, and those in stores on the network.
struct StoreRepositories {
    /// In the order in which they were named.
    private(set) var folders: [String] = []
    private(set) var stores: [ObjectRepository] = []

    /// Where copies lie, and what of them.
    struct Copies {
        /// `nil` for the usual folder.
        var directory: String?
        /// 0 for as many as the disk has.
        var byteLimit: Int64 = 0
    }

    /// - Throws: `invalidArgument` for an address that can't be meant, and where there is no place for copies.
    init(
        _ repositories: [String], _ copies: Copies = Copies(), on group: any EventLoopGroup, log: Logger
    ) throws(HalcyonError) {
        let variables = VariableList.read(halcyon_environment())
        for name in repositories {
            guard StoreLocation.isStore(name) else {
                folders.append(name)
                continue
            }
            guard let directory = copies.directory ?? Self.cacheDirectory(variables) else {
                throw HalcyonError(
                    .invalidArgument,
                    "there is no place for copies of models, as HOME is not set: --model-cache-directory of halcyon "
                        + "serve names a folder")
            }
            var options = ObjectRepository.Options(cacheDirectory: directory, group: group)
            options.byteLimit = copies.byteLimit
            options.log = log
            stores.append(try ObjectRepository(name, environment: variables, options: options))
        }
    }

    /// For commands that look and are done: the folders of all repositories, with copies of what is in stores. Blocks.
    ///
    /// - Parameter isCopied: whether the copies have just been made.
    static func folders(of repositories: [String], isCopied: Bool = false) throws(HalcyonError) -> [String] {
        guard repositories.contains(where: StoreLocation.isStore) else { return repositories }
        let log = Logger(label: "halcyon", factory: { _ in SwiftLogNoOpLogHandler() })
        let repositories = try StoreRepositories(repositories, on: MultiThreadedEventLoopGroup.singleton, log: log)
        if !isCopied { try RepositorySources(repositories.stores).update(.everything, clock: SystemClock()) }
        return repositories.folders + repositories.stores.map(\.folder)
    }

    /// Where copies lie if nobody says.
    static func cacheDirectory(_ variables: [String: String]) -> String? {
        let set = { (name: String) in variables[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        // That of a service of systemd may be several.
        if let service = set("CACHE_DIRECTORY")?.split(separator: ":").first { return "\(service)/models" }
        if let cache = set("XDG_CACHE_HOME") { return "\(cache)/halcyon/models" }
        return set("HOME").map { "\($0)/.cache/halcyon/models" }
    }

    func shutdown() async {
        for store in stores { await store.shutdown() }
    }
}

/// What several commands say of the same flags.
enum RepositoryHelp {
    static let backendDirectory = """
        The folder with the engines' libraries, each engine's in a folder of its own. By default each is looked for in \
        ../backends and backends beside the program, HALCYON_BACKENDS, ~/.local/share/halcyon/backends, \
        halcyon/backends of /usr/local/share, /usr/share, /usr/local/lib and /usr/lib, and .deps/backends here.
        """
    static let followLinks = """
        Follow links that lead out of the model repositories, to a hub's cache or a shared disk for instance. Models \
        are refused otherwise, as a link could make anything a part of a model.
        """
    static let allowModelBackends = """
        Look for a backend's library in the folders of the model's version and of the model too, before the backend's \
        own. It is code, which runs as the server does.
        """
    static let modelConfigName = """
        Have models take the configuration configs/NAME.pbtxt in their folder, where they have it, in place of \
        config.pbtxt.
        """
}

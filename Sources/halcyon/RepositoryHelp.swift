/// What several commands say of the same flags.
enum RepositoryHelp {
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

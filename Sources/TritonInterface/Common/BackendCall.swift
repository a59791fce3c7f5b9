private import Glibc

/// Which model a library of a backend is being called for on this thread.
enum BackendCall {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    static var model: String? {
        pthread_getspecific(key).map { Unmanaged<ModelObject>.fromOpaque($0).takeUnretainedValue().nameText }
    }

    /// Calls `body`, in which the model is known.
    static func with<Result, Failure>(
        model: ModelObject, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = pthread_getspecific(key)
        // Whoever calls keeps the model, for as long as the call takes.
        pthread_setspecific(key, Unmanaged.passUnretained(model).toOpaque())
        defer {
            pthread_setspecific(key, before)
            withExtendedLifetime(model) {}
        }
        return try body()
    }
}

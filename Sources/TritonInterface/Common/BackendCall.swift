private import Glibc

/// Which model a library of a backend is being called for on this thread.
enum BackendCall {
    private final class Name {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { pointer in
            if let pointer { Unmanaged<Name>.fromOpaque(pointer).release() }
        }
        return key
    }()

    static var model: String? {
        pthread_getspecific(key).map { Unmanaged<Name>.fromOpaque($0).takeUnretainedValue().text }
    }

    /// Calls `body`, in which the model is known.
    static func with<Result, Failure>(
        model: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = pthread_getspecific(key)
        pthread_setspecific(key, Unmanaged.passRetained(Name(model)).toOpaque())
        defer {
            if let own = pthread_getspecific(key) { Unmanaged<Name>.fromOpaque(own).release() }
            pthread_setspecific(key, before)
        }
        return try body()
    }
}

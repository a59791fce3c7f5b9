public import Glibc

/// A value that one thread at a time may touch. Copies share the value.
///
/// It stands on the system's mutex rather than on `Synchronization.Mutex`, whose lock Thread Sanitizer does not see on
/// Linux: every access under it would be reported as a race. The lock lies beside the value, in one allocation.
///
/// What of it is inlined elsewhere takes that the type itself is `@usableFromInline`: without that the compiler says
/// nothing, and calls through the runtime.
@usableFromInline
package struct Locked<Value>: @unchecked Sendable {
    @usableFromInline final class Storage: ManagedBuffer<Value, pthread_mutex_t> {
        @usableFromInline deinit { withUnsafeMutablePointerToElements { _ = pthread_mutex_destroy($0) } }
    }

    @usableFromInline let storage: ManagedBuffer<Value, pthread_mutex_t>
    // Where both lie in the storage. Asking the storage each time would touch it before the lock is taken.
    @usableFromInline let value: UnsafeMutablePointer<Value>
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

    /// Inlined too: without that each lock that is made looks its own type up in the runtime.
    @inlinable package init(_ value: sending Value) {
        storage = Storage.create(minimumCapacity: 1) { _ in value }
        (self.value, mutex) = storage.withUnsafeMutablePointers { ($0, $1) }
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    /// Calls `body` with the value while no other thread is inside. Calling it again from inside is a deadlock.
    /// It is inlined where it is called: with values of any kind behind it, each call would go through the runtime.
    @inlinable package func withLock<Result, Failure>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try withExtendedLifetime(storage) { () throws(Failure) -> Result in try body(&value.pointee) }
    }
}

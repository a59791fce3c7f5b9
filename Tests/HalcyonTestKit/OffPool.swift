internal import ModelRuntime
internal import Threads

/// Runs what blocks on a thread of its own, and waits for it without blocking one of Swift's pool.
package func offPool<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        do {
            try WorkerThread.detach(name: "off pool") { continuation.resume(returning: body()) }
        } catch {
            continuation.resume(returning: body())
        }
    }
}

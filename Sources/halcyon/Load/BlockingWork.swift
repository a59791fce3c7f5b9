internal import Tensors
internal import Threads

/// Work that blocks, off Swift's cooperative pool.
enum BlockingWork {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withUnsafeContinuation { continuation in
            let run: @Sendable () -> Void = { continuation.resume(returning: body()) }
            do {
                try WorkerThread.detach(name: "command", run)
            } catch {
                // Without another thread to be had, this one has to do it.
                run()
            }
        }
    }
}

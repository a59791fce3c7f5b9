extension WorkerThread {
    /// Runs what blocks on a thread of its own, off Swift's cooperative pool.
    package static func run<Value: Sendable>(name: String, _ body: @escaping @Sendable () -> Value) async -> Value {
        let work = Locked<(@Sendable () -> Value)?>(body)
        return await withUnsafeContinuation { continuation in
            let run: @Sendable () -> Void = {
                // The caller may end the process as soon as it goes on: what the work refers to, an engine in the end,
                // must not be released on this thread after that.
                guard let value = work.withLock({ $0.take() })?() else { return }
                continuation.resume(returning: value)
            }
            do {
                try detach(name: name, run)
            } catch {
                // No other thread can be started, so this one blocks.
                run()
            }
        }
    }
}

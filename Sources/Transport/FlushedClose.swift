package import NIOCore

extension ChannelHandlerContext {
    /// Bytes of answers that the system has not taken yet.
    var bufferedByteCount: Int {
        // A channel that can't say, one in memory for instance, holds nothing back.
        (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Closes the connection when the system has taken everything that was written, or after a while without.
    ///
    /// The handler of this context is one whose outbound data are bytes.
    ///
    /// - Parameter patience: how long a client may take none of what waits for it.
    package func closeWhenFlushed(patience: TimeAmount) {
        // The system takes writes in their order: when it has come to this one, there are no others.
        let last = writeAndFlush(NIOAny(ByteBuffer()))
        let channel = channel
        let watch = FlushWatch(channel, patience: patience, buffered: bufferedByteCount)
        last.assumeIsolated().whenComplete { _ in
            watch.cancel()
            channel.close(promise: nil)
        }
    }
}

/// Closes a connection whose client takes nothing for a while; used on its event loop only.
private final class FlushWatch {
    private let channel: any Channel
    private let patience: TimeAmount
    private var buffered: Int
    private var timer: Scheduled<Void>?
    private var isCancelled = false

    init(_ channel: any Channel, patience: TimeAmount, buffered: Int) {
        self.channel = channel
        self.patience = patience
        self.buffered = buffered
        start()
    }

    func cancel() {
        isCancelled = true
        timer?.cancel()
        timer = nil
    }

    private func start() {
        let watch = NIOLoopBound(self, eventLoop: channel.eventLoop)
        timer = channel.eventLoop.scheduleTask(in: patience) { watch.value.check() }
    }

    private func check() {
        guard !isCancelled, channel.isActive else { return }
        let count = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard count < buffered else { return channel.close(promise: nil) }
        buffered = count
        start()
    }
}

package import NIOCore

extension ChannelHandlerContext {
    /// Bytes of answers that the system has not taken yet.
    var bufferedByteCount: Int {
        // A channel that can't say, one in memory for instance, holds nothing back.
        (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Closes the connection when the system has taken everything that is on its way out, or after a while without.
    ///
    /// - Parameter patience: how long a client may take to make room.
    package func closeWhenFlushed(patience: TimeAmount) {
        let deadline = NIODeadline.now() + patience
        let context = NIOLoopBound(self, eventLoop: eventLoop)
        @Sendable func check() {
            let here = context.value
            if here.bufferedByteCount == 0 || deadline < .now() || !here.channel.isActive {
                here.channel.close(promise: nil)
            } else {
                here.eventLoop.scheduleTask(in: .milliseconds(5)) { check() }
            }
        }
        flush()
        check()
    }
}

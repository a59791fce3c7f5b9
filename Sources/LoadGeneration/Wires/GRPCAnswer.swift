/// How a call over gRPC ended.
struct GRPCAnswer: Hashable, Sendable {
    /// 0 for well.
    var status: Int
    var message: String
    /// The last message, where messages are kept.
    var body: [UInt8] = []
    /// Messages that came.
    var count = 0
}

internal import KServeProtocol
internal import NIOCore
internal import NIOHPACK
internal import Tensors
internal import Threads

/// The way back for one call. It may be used from any thread.
final class GRPCCall: Sendable {
    private let handler: NIOLoopBound<GRPCStreamHandler>
    let eventLoop: any EventLoop
    let headers: HPACKHeaders
    let method: GRPCMethod
    /// How responses are compressed; `nil` for plain ones.
    let compression: GRPCCompression?
    /// When the headers came.
    let start = NIODeadline.now()
    private let cancellation = Locked(Cancellation())
    /// What the event loop is to do in turn and has not taken up yet.
    private let orders = Locked<[Order]>([])

    enum Order {
        /// What is done when the message has been sent goes with it.
        case send(GRPCFrame, whenSent: (@Sendable () -> Void)?)
        case finish(GRPCStatus)
    }

    private struct Cancellation {
        private enum Entry {
            case none
            /// Under way, and nobody has said yet how to take it back.
            case begun
            case action(@Sendable () -> Void)
        }

        /// Of number 0: most calls have no other, and need no table.
        private var first = Entry.none
        private var others: [Int: Entry] = [:]
        var isCancelled = false

        private subscript(number: Int) -> Entry {
            get { number == 0 ? first : others[number] ?? .none }
            set {
                if number == 0 {
                    first = newValue
                } else if case .none = newValue {
                    others[number] = nil
                } else {
                    others[number] = newValue
                }
            }
        }

        mutating func began(_ number: Int) { self[number] = .begun }

        mutating func ended(_ number: Int) { self[number] = .none }

        /// What has ended already is not taken back.
        mutating func set(_ number: Int, _ action: @escaping @Sendable () -> Void) {
            if case .none = self[number] { return }
            self[number] = .action(action)
        }

        mutating func take() -> [@Sendable () -> Void] {
            defer { (first, others) = (.none, [:]) }
            return ([first] + others.values).compactMap { if case .action(let action) = $0 { action } else { nil } }
        }
    }

    init(
        _ handler: GRPCStreamHandler, method: GRPCMethod, headers: HPACKHeaders, eventLoop: any EventLoop,
        compression: GRPCCompression?
    ) {
        self.compression = compression
        self.method = method
        self.headers = headers
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Sends a short message; `make` is called on the event loop.
    func send(_ make: @escaping @Sendable () -> InferenceProtobufWriter.Message) {
        onLoop { [self] handler in
            do throws(GRPCStatus) {
                handler.send(try frame(make()))
            } catch {
                handler.finish(error)
            }
        }
    }

    /// A message as it goes out. Where it is compressed and long this takes long.
    func frame(_ message: InferenceProtobufWriter.Message) throws(GRPCStatus) -> GRPCFrame {
        try GRPCFrame(message, compression)
    }

    /// What follows an order, set by whoever calls these from several threads, one call after the other: the event loop
    /// takes them in turn, also from itself.
    ///
    /// - Parameter whenSent: called when the system has taken the message, or when the call is over and nobody takes
    ///   it.
    func sendInTurn(_ frame: GRPCFrame, whenSent: (@Sendable () -> Void)? = nil) {
        order(.send(frame, whenSent: whenSent))
    }

    func finishInTurn(_ status: GRPCStatus = .ok) { order(.finish(status)) }

    /// All that has been ordered by the time the event loop comes to it goes out together.
    private func order(_ order: Order) {
        let isFirst = orders.withLock { orders in
            defer { orders.append(order) }
            return orders.isEmpty
        }
        guard isFirst else { return }
        eventLoop.execute { [self] in
            let orders = orders.withLock { orders in
                defer { orders = [] }
                return orders
            }
            handler.value.take(orders)
        }
    }

    /// A stream has room for further requests.
    func takeMore() { eventLoop.execute { [self] in handler.value.takeMessages() } }

    /// Ends the call.
    func finish(_ status: GRPCStatus = .ok) { onLoop { $0.finish(status) } }

    /// The one message and the end of a call without streams.
    ///
    /// - Parameter whenSent: called when the system has taken the message.
    func answer(
        whenSent: (@Sendable () -> Void)? = nil, _ make: @escaping @Sendable () -> InferenceProtobufWriter.Message
    ) {
        onLoop { [self] handler in
            do throws(GRPCStatus) {
                handler.answer(try frame(make()), whenSent: whenSent)
            } catch {
                handler.finish(error)
            }
        }
    }

    /// The same with a message that is ready to go out.
    func answer(_ frame: GRPCFrame, whenSent: (@Sendable () -> Void)?) {
        onLoop { $0.answer(frame, whenSent: whenSent) }
    }

    private func onLoop(_ body: @escaping @Sendable (GRPCStreamHandler) -> Void) {
        if eventLoop.inEventLoop {
            body(handler.value)
        } else {
            eventLoop.execute { [self] in body(handler.value) }
        }
    }

    // MARK: Cancellation

    /// Something begins that may have to be taken back; ``ended(_:)`` is called when it is over.
    func began(_ number: Int) { cancellation.withLock { $0.began(number) } }

    func ended(_ number: Int) { cancellation.withLock { $0.ended(number) } }

    /// Says how to take back what has begun, when the client goes away or its deadline passes; done at once where that
    /// has happened.
    func onCancel(_ number: Int, _ action: @escaping @Sendable () -> Void) {
        let isCancelled = cancellation.withLock { state in
            if state.isCancelled { return true }
            state.set(number, action)
            return false
        }
        if isCancelled { action() }
    }

    func cancel() {
        let actions = cancellation.withLock { state in
            state.isCancelled = true
            return state.take()
        }
        for action in actions { action() }
    }
}

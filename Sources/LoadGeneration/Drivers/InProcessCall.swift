internal import Halcyon
internal import Synchronization
internal import Tensors
internal import Threads

/// A request that its thread waits for, with any number of responses.
final class InProcessCall: @unchecked Sendable {
    /// Written by whoever responds, one after the other, before `isFinished`; read by the caller after it.
    private(set) var responses = 0
    private(set) var first: UInt64 = 0
    private(set) var error: HalcyonError?
    private let isFinished = Atomic<Bool>(false)
    private let parker = ThreadParker.current
    private let clock = SystemClock()

    func run(_ request: InferenceRequest, on server: InferenceServer) {
        server.submit(request) { [self] result in
            switch result {
            case .failure(let failure): error = failure
            case .success(let response):
                if let failure = response.error { error = failure }
                if !response.outputs.isEmpty {
                    responses += 1
                    if responses == 1 { first = clock.now() }
                }
                guard response.isFinal else { return }
            }
            let parker = parker
            isFinished.store(true, ordering: .releasing)
            parker.unpark()
        }
        while !isFinished.load(ordering: .acquiring) { parker.park() }
    }
}

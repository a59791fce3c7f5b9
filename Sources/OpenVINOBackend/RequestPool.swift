internal import COpenVINO
internal import LibraryFiles
internal import Tensors
internal import Threads

/// The inference requests of a compiled model. Each owns the memory of its outputs, so one that has run is out of the
/// pool until nothing refers to those any more; and the outputs need no copy.
final class RequestPool: Sendable {
    private let library: Library
    private let compiled: Handle
    /// Requests that are kept for later; more are freed when they come back.
    private let retained: Int
    private let idle = Locked<[Handle]>([])

    init(library: Library, compiled: Handle, retained: Int) {
        self.library = library
        self.compiled = compiled
        self.retained = retained
    }

    /// A request that nobody else has. The one that came back last is warmest in the cache, so it goes out first.
    func lease() throws(HalcyonError) -> RequestLease {
        if let request = idle.withLock({ $0.popLast() }) { return RequestLease(request, of: self) }
        return RequestLease(try makeRequest(), of: self)
    }

    /// Adds a request for an instance that will need one.
    func grow() throws(HalcyonError) { giveBack(try makeRequest()) }

    private func makeRequest() throws(HalcyonError) -> Handle {
        let functions = library.functions
        return try library.make(
            free: functions.ov_infer_request_free, "OpenVINO can't make an inference request"
        ) { functions.ov_compiled_model_create_infer_request(compiled.pointer, $0) }
    }

    fileprivate func giveBack(_ request: Handle) {
        idle.withLock { idle in
            if idle.count < retained { idle.append(request) }
        }
    }
}

/// A request on loan: it goes back to its pool when the last reference goes, which is that of its last output.
///
/// The executing thread is done with it before the outputs, and with them the lease, reach another thread.
final class RequestLease: @unchecked Sendable {
    let request: Handle
    /// Cleared after a failure, of which the engine does not say in what state it leaves a request.
    var isReusable = true
    private let pool: RequestPool

    fileprivate init(_ request: Handle, of pool: RequestPool) {
        self.request = request
        self.pool = pool
    }

    deinit {
        if isReusable { pool.giveBack(request) }
    }
}

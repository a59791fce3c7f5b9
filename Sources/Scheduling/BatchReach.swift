/// How far a batch from the head of a bucket reaches. It grows with the bucket, request by request.
struct BatchReach: Equatable, Sendable {
    /// A beginning of the bucket's requests.
    struct Extent: Equatable, Sendable {
        var requestCount = 0
        var size = 0
    }

    private(set) var extent = Extent()
    /// The maximum was reached, or the next request would go over it.
    private(set) var isLimited = false
    /// The next request was not admitted.
    private(set) var isRefused = false
    /// The largest preferred size that a beginning of these requests makes.
    private(set) var preferred: Extent?
    /// The beginning that can't become a preferred size any more, where none is one: at the largest of them, past it,
    /// or past it with the next request.
    private var overgrown: Extent?

    /// Takes in the next request, unless the batch is limited.
    ///
    /// - Parameter isAdmitted: asked where its size would let it in.
    mutating func add(_ batchSize: Int, _ options: SchedulingOptions, isAdmitted: () -> Bool = { true }) {
        guard !isLimited else { return }
        let size = extent.size + batchSize
        if size > options.largestPreferredBatchSize, overgrown == nil, extent.requestCount > 0 { overgrown = extent }
        if size > options.maxBatchSize, extent.requestCount > 0 {
            isLimited = true
            return
        }
        if !isAdmitted(), extent.requestCount > 0 {
            isLimited = true
            isRefused = true
            return
        }
        extent.size = size
        extent.requestCount += 1
        if options.preferredBatchSizes.contains(size) { preferred = extent }
        if size >= options.maxBatchSize { isLimited = true }
    }

    /// What runs at once, however short the time that its requests have waited.
    func ripe(_ options: SchedulingOptions) -> Extent? {
        if let preferred { return preferred }
        if let overgrown { return overgrown }
        return isLimited || extent.size >= options.largestPreferredBatchSize ? extent : nil
    }
}

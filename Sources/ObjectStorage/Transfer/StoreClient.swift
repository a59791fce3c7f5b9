internal import AsyncHTTPClient
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Tensors
internal import Threads

/// One store, asked and asked again where that helps.
final class StoreClient: Sendable {
    /// Bytes of a part of a listing, of which stores write a thousand keys at most.
    private static let mostOfListing = 16 << 20
    /// Objects of a repository.
    static let mostObjects = 200_000

    let location: StoreLocation
    let store: any ObjectStore
    let retry = RetryPolicy()
    private let exchange: HTTPExchange
    private let credentials: CredentialProvider
    private let log: Logger
    /// Of AWS, where an answer has named another than the configured one.
    private let region = Locked<String?>(nil)

    init(
        _ location: StoreLocation, _ store: any ObjectStore, _ sources: [CredentialSource], _ exchange: HTTPExchange,
        log: Logger
    ) {
        self.location = location
        self.store = store
        self.exchange = exchange
        self.log = log
        credentials = CredentialProvider(sources, exchange, log: log)
    }

    static var now: UTCTime { UTCTime(seconds: Int64(WallClock.milliseconds() / 1000)) }

    /// Lists what begins with a prefix.
    func list(prefix: String, isDeep: Bool = true) async throws(HalcyonError) -> ListingPage {
        var whole = ListingPage()
        var next: String?
        repeat {
            let request = store.listing(prefix: prefix, isDeep: isDeep, next: next)
            let page = try store.page(try await small(request))
            whole.objects += page.objects
            whole.folders += page.folders
            guard whole.objects.count + whole.folders.count <= Self.mostObjects else {
                throw HalcyonError(
                    .invalidArgument,
                    "the model repository '\(location.text)' has more than \(Self.mostObjects) objects: name the "
                        + "prefix under which the models are")
            }
            // A store that never ends is none.
            if let again = page.next, again == next {
                throw HalcyonError(.internal, "the store's listing goes on with what it began with")
            }
            next = page.next
        } while next != nil
        return whole
    }

    private func small(_ request: StoreRequest) async throws(HalcyonError) -> [UInt8] {
        for attempt in 1... {
            let response = try await open(request, subject: nil, isSmall: true)
            do throws(StoreTrouble) {
                return try await exchange.answer(response, most: Self.mostOfListing).body
            } catch {
                try await pause(after: attempt, error, request)
            }
        }
        return []
    }

    /// Sends a request, signed, until an answer comes that lets one in.
    ///
    /// - Parameters:
    ///   - subject: an object's key; `nil` for a listing.
    ///   - isSmall: whether all of the answer has to come soon.
    func open(_ request: StoreRequest, subject: String?, isSmall: Bool = false) async throws(HalcyonError)
        -> HTTPClientResponse
    {
        var request = request
        var redirects = 0
        var attempt = 0
        var hasChangedRegion = false
        var hasRenewed = false
        while true {
            attempt += 1
            let found = try await credentials.credentials(now: Self.now)
            let signed = store.signed(request, found.credentials, region: region.withLock { $0 }, at: Self.now)
            let response: HTTPClientResponse
            let answer: StoreAnswer
            do throws(StoreTrouble) {
                response = try await exchange.send(signed, within: isSmall ? .seconds(60) : nil)
                if (200..<300).contains(response.status.code) { return response }
                answer = try await exchange.answer(response, most: 1 << 20)
            } catch {
                try await pause(after: attempt, error, request)
                continue
            }
            if location.kind == .archive, redirects < 5, let next = ArchiveStore.redirected(request, by: answer) {
                redirects += 1
                attempt = 0
                request = next
                continue
            }
            let refusal = store.refusal(answer)
            if let other = refusal.region, other != region.withLock({ $0 }), !hasChangedRegion, answer.status != 403 {
                log.notice(
                    "the bucket lies in another region than is set",
                    metadata: ["bucket": "\(location.bucket)", "region": "\(other)"])
                region.withLock { $0 = other }
                hasChangedRegion = true
                continue
            }
            let isExpired = ["ExpiredToken", "TokenRefreshRequired"].contains(refusal.code) || answer.status == 401
            if isExpired, !hasRenewed, found.origin != nil {
                credentials.forget()
                hasRenewed = true
                continue
            }
            guard let delay = retry.delay(after: attempt, .answered(by: answer, now: Self.now)) else {
                throw failure(found, subject).error(answer, refusal, now: Self.now)
            }
            try await sleep(delay)
        }
    }

    private func failure(_ found: CredentialProvider.Found, _ subject: String?) -> StoreFailure {
        StoreFailure(location: location, origin: found.origin, searched: credentials.searched, subject: subject)
    }

    /// Waits before the next attempt.
    ///
    /// - Throws: where there is none.
    func pause(after attempt: Int, _ trouble: StoreTrouble, _ request: StoreRequest) async throws(HalcyonError) {
        guard trouble.isPassing, let delay = retry.delay(after: attempt, .disconnected(wasKnown: trouble != .name))
        else {
            throw StoreFailure(location: location).unreachable(trouble, request.address.authority)
        }
        try await sleep(delay)
    }

    func sleep(_ milliseconds: Int64) async throws(HalcyonError) {
        do {
            try await Task.sleep(for: .milliseconds(milliseconds))
        } catch {
            throw HalcyonError(.cancelled, "copying '\(location.text)' was given up")
        }
    }
}

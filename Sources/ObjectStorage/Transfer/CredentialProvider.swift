internal import Logging
internal import NIOCore
internal import Tensors
internal import Threads

/// Credentials, looked for when they are needed and got anew before they expire.
final class CredentialProvider: Sendable {
    struct Found: Sendable {
        var credentials: StoreCredentials
        /// Where they came from, for people; `nil` where there are none.
        var origin: String?
        var expiry: UTCTime?
    }

    private let sources: [CredentialSource]
    private let exchange: HTTPExchange
    private let log: Logger
    private let found = Locked<Found?>(nil)

    init(_ sources: [CredentialSource], _ exchange: HTTPExchange, log: Logger) {
        self.sources = sources
        self.exchange = exchange
        self.log = log
    }

    /// Where is looked, for people.
    var searched: String { sources.map(\.name).joined(separator: ", ") }

    /// - Throws: what is wrong with the first source that is set up.
    func credentials(now: UTCTime) async throws(HalcyonError) -> Found {
        // Those that last some minutes more are still good for a request.
        if let found = found.withLock({ $0 }), found.expiry.map({ !$0.isSoon(after: now) }) ?? true {
            return found
        }
        for source in sources {
            guard let step = try source.begin(now) else { continue }
            do throws(HalcyonError) {
                guard var found = try await drive(step, source) else { continue }
                found.origin = source.name
                if self.found.withLock({ $0?.origin }) != source.name {
                    log.info("credentials of a store", metadata: ["source": "\(source.name)"])
                }
                self.found.withLock { [found] in $0 = found }
                return found
            } catch {
                if source.isPerhaps, error.code != .cancelled { continue }
                // What files hold is in it.
                throw error.reworded(
                    "credentials from \(source.name): \(UntrustedText.shown(error.message, most: 2000))")
            }
        }
        let none = Found(credentials: .none)
        found.withLock { $0 = none }
        return none
    }

    /// Has the next request look again.
    func forget() { found.withLock { $0 = nil } }

    /// - Returns: `nil` where nobody answers who may not be there.
    private func drive(_ first: CredentialStep, _ source: CredentialSource) async throws(HalcyonError) -> Found? {
        var step = first
        // No source has more than a few steps.
        for _ in 0..<10 {
            switch step {
            case .done(let credentials, let expiry): return Found(credentials: credentials, expiry: expiry)
            case .ask(let request, let then):
                guard let answer = try await ask(request, isPerhaps: source.isPerhaps) else { return nil }
                step = try then(answer)
            }
        }
        throw HalcyonError(.internal, "there is no end of questions")
    }

    private func ask(_ request: StoreRequest, isPerhaps: Bool) async throws(HalcyonError) -> StoreAnswer? {
        let attempts = isPerhaps ? 1 : 3
        for attempt in 1... {
            do throws(StoreTrouble) {
                let response = try await exchange.send(request, within: .seconds(isPerhaps ? 1 : 10))
                let answer = try await exchange.answer(response, most: 1 << 20)
                if answer.status < 500 || attempt >= attempts { return answer }
            } catch {
                if isPerhaps, error != .cancelled { return nil }
                guard attempt < attempts, error.isPassing else {
                    throw HalcyonError(
                        error == .cancelled ? .cancelled : .unavailable,
                        "\(request.address.host) can't be asked (\(error))")
                }
            }
        }
        return nil
    }
}

internal import Tensors

/// Where one version of a model stands between its folder and its last request: a value, which decides nothing but what
/// may follow what.
///
/// | from | event | to |
/// | --- | --- | --- |
/// | unavailable | begin | loading |
/// | loading | succeed | ready |
/// | loading | fail | unavailable, with the reason |
/// | ready | begin | replacing: another is made, and this one serves meanwhile |
/// | ready | keep | ready, without the reason of an earlier failure |
/// | replacing | succeed | ready |
/// | replacing | fail | ready, with the reason |
/// | ready | retire | unloading |
/// | unloading | drain | unavailable |
/// | unavailable | retire | unavailable: nobody wants what has failed any more |
/// | unloading | begin | loading: another comes although the old one still finishes its requests |
///
/// Everything else is a mistake of the caller's: it changes nothing and throws.
struct VersionLifecycle: Hashable {
    enum Phase: String, CaseIterable {
        case unavailable
        case loading
        case ready
        case replacing
        case unloading
    }

    enum Event: Hashable {
        case begin
        case succeed
        case fail(String)
        case keep
        case retire
        case drain
    }

    private(set) var phase = Phase.unavailable
    /// Why the last load failed, or that it was unloaded; empty otherwise.
    private(set) var reason = ""
    /// Whether it is gone because somebody wanted that.
    private(set) var isUnloaded = false

    /// The reason of a version that was unloaded; Triton's word.
    static let unloaded = "unloaded"

    /// - Throws: `internal` for an event that can't come in this phase.
    mutating func apply(_ event: Event) throws(HalcyonError) {
        switch (phase, event) {
        case (.unavailable, .begin), (.unloading, .begin): self = Self(phase: .loading)
        case (.loading, .succeed), (.replacing, .succeed), (.ready, .keep): self = Self(phase: .ready)
        case (.loading, .fail(let reason)): self = Self(phase: .unavailable, reason: reason)
        case (.ready, .begin): self = Self(phase: .replacing, reason: reason)
        case (.replacing, .fail(let reason)): self = Self(phase: .ready, reason: reason)
        case (.ready, .retire): self = Self(phase: .unloading)
        case (.unloading, .drain), (.unavailable, .retire):
            self = Self(phase: .unavailable, reason: Self.unloaded, isUnloaded: true)
        default: throw HalcyonError(.internal, "a version that is \(phase.rawValue) can't \(event)")
        }
    }

    /// Whether requests reach it.
    var isServing: Bool { phase == .ready || phase == .replacing }

    /// Triton's name for it.
    var state: ModelState {
        switch phase {
        case .unavailable: .unavailable
        case .loading: .loading
        case .ready, .replacing: .ready
        case .unloading: .unloading
        }
    }
}

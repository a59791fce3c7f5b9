import ModelConfigurations
import Tensors
import Testing

@testable import ModelRepository

@Suite("The states of a version, and what may follow what")
struct VersionLifecycleTests {
    private static let events: [VersionLifecycle.Event] = [.begin, .succeed, .fail("why"), .keep, .retire, .drain]

    /// The way to each phase from the beginning.
    private static func version(_ phase: VersionLifecycle.Phase) throws -> VersionLifecycle {
        let way: [VersionLifecycle.Event] =
            switch phase {
            case .unavailable: []
            case .loading: [.begin]
            case .ready: [.begin, .succeed]
            case .replacing: [.begin, .succeed, .begin]
            case .unloading: [.begin, .succeed, .retire]
            }
        var version = VersionLifecycle()
        for event in way { try version.apply(event) }
        #expect(version.phase == phase)
        return version
    }

    /// What comes of the legal ones; all others change nothing and throw.
    private static func outcome(
        _ event: VersionLifecycle.Event, _ phase: VersionLifecycle.Phase
    ) -> (phase: VersionLifecycle.Phase, reason: String)? {
        switch (phase, event) {
        case (.unavailable, .begin): (.loading, "")
        case (.unavailable, .retire): (.unavailable, "unloaded")
        case (.loading, .succeed): (.ready, "")
        case (.loading, .fail): (.unavailable, "why")
        case (.ready, .begin): (.replacing, "")
        case (.ready, .keep): (.ready, "")
        case (.ready, .retire): (.unloading, "")
        case (.replacing, .succeed): (.ready, "")
        case (.replacing, .fail): (.ready, "why")
        case (.unloading, .drain): (.unavailable, "unloaded")
        case (.unloading, .begin): (.loading, "")
        default: nil
        }
    }

    @Test("Every pair of phase and event", arguments: VersionLifecycle.Phase.allCases, events)
    func pair(phase: VersionLifecycle.Phase, event: VersionLifecycle.Event) throws {
        let before = try Self.version(phase)
        var version = before
        guard let outcome = Self.outcome(event, phase) else {
            let error = #expect(throws: HalcyonError.self) { try version.apply(event) }
            #expect(error?.code == .internal)
            #expect(version == before)
            return
        }
        try version.apply(event)
        #expect(version.phase == outcome.phase)
        #expect(version.reason == outcome.reason)
        #expect(version.isUnloaded == (event == .drain || event == .retire && phase == .unavailable))
    }

    @Test(
        "The index's words",
        arguments: zip(
            VersionLifecycle.Phase.allCases, [ModelState.unavailable, .loading, .ready, .ready, .unloading]))
    func words(phase: VersionLifecycle.Phase, state: ModelState) throws {
        let version = try Self.version(phase)
        #expect(version.state == state)
        #expect(version.isServing == (state == .ready))
    }

    @Test("A reason stays until a load succeeds, or finds nothing to do")
    func reasons() throws {
        for end in [[VersionLifecycle.Event.begin, .succeed], [.keep]] {
            var version = try Self.version(.replacing)
            try version.apply(.fail("broken"))
            #expect(version.reason == "broken")
            for event in end { try version.apply(event) }
            #expect(version.reason.isEmpty)
        }
    }
}

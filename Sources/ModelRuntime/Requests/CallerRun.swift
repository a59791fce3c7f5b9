private import CPlatform

/// Whether the calling thread runs a batch on behalf of a caller at the moment.
///
/// A response handler may hand in the next request. Were that run at once as well, and so on, the thread's stack would
/// grow with every request; so a run inside a run is left to the workers.
package enum CallerRun {
    package static var isActive: Bool { halcyon_thread_flag() }

    static func active(_ body: () -> Void) {
        halcyon_set_thread_flag(true)
        defer { halcyon_set_thread_flag(false) }
        body()
    }
}

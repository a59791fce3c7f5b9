internal import CPlatform

/// The processors that this program may use.
package enum Processors {
    package static var count: Int { max(1, Int(halcyon_affinity_count())) }
}

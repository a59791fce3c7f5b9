private import CTriton

/// A call of a program's function. What would wait for its end can be told from inside.
package enum Callback {
    package static var isActive: Bool { halcyon_triton_callback_depth() > 0 }

    @inline(__always)
    static func call<Result>(_ body: () -> Result) -> Result {
        halcyon_triton_callback_enter()
        defer { halcyon_triton_callback_leave() }
        return body()
    }
}

internal import Synchronization
internal import Tensors

/// A pointer that an object has given out, and takes back once: whichever thread comes first.
struct GivenHandle: ~Copyable {
    private let bits = Atomic<UInt>(0)

    /// `nil` before it was given out, and after it was taken back.
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits.load(ordering: .acquiring)) }

    /// Gives a pointer out for the object, if none was before.
    ///
    /// - Returns: the pointer that there is.
    @discardableResult
    func give<Object: TritonObject>(_ object: @autoclosure () -> Object) throws(HalcyonError) -> OpaquePointer {
        if let pointer { return pointer }
        let made = try Handles.give(object())
        let (isFirst, known) = bits.compareExchange(
            expected: 0, desired: UInt(bitPattern: made), ordering: .acquiringAndReleasing)
        guard !isFirst, let pointer = OpaquePointer(bitPattern: known) else { return made }
        // Another thread was faster.
        _ = try? Handles.take(made, as: Object.self, "")
        return pointer
    }

    /// Takes it back, if that has not been done.
    func take<Object: TritonObject>(_ type: Object.Type) {
        guard let pointer = OpaquePointer(bitPattern: bits.exchange(0, ordering: .acquiringAndReleasing)) else {
            return
        }
        _ = try? Handles.take(pointer, as: type, "")
    }
}

private import Glibc
package import Tensors
private import Threads

/// The pointers that C programs hold for the interface's objects.
///
/// A pointer is the address of a cell of 16 bytes, in a region that belongs to nothing else: whether any pointer at all
/// is a handle, of which kind, and whether it has been given up, is said without touching memory that is not ours. A
/// cell that was given up is used again only after a thousand others.
package enum Handles {
    private struct Cell {
        var kind: UInt64
        var object: UnsafeMutableRawPointer?
    }

    /// The region's first cell, and how many it has room for. Pages that are not used yet take no memory.
    private struct Region: @unchecked Sendable {
        let start: UInt
        let count: Int

        static let shared: Region = {
            for count in [1 << 24, 1 << 20, 1 << 14] {
                let region = mmap(
                    nil, count * MemoryLayout<Cell>.size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                if let region, region != MAP_FAILED { return Region(start: UInt(bitPattern: region), count: count) }
            }
            return Region(start: 0, count: 0)
        }()

        func cell(_ index: Int) -> UnsafeMutablePointer<Cell>? {
            UnsafeMutablePointer(bitPattern: start + UInt(index * MemoryLayout<Cell>.size))
        }

        func cell(_ pointer: OpaquePointer) -> UnsafeMutablePointer<Cell>? {
            let address = UInt(bitPattern: pointer)
            guard start != 0, address >= start, address - start < UInt(count * MemoryLayout<Cell>.size),
                (address - start) % UInt(MemoryLayout<Cell>.size) == 0
            else { return nil }
            return UnsafeMutablePointer(bitPattern: address)
        }
    }

    private struct Free {
        var used = 0
        var ready: [Int32] = []
        var resting: [Int32] = []
        static let rest = 1024

        mutating func take(limit: Int) -> Int? {
            if ready.isEmpty, resting.count >= Self.rest || used >= limit {
                // The last of them is taken first: the one that has rested longest.
                ready = resting.reversed()
                resting.removeAll(keepingCapacity: true)
            }
            if let index = ready.popLast() { return Int(index) }
            guard used < limit else { return nil }
            used += 1
            return used - 1
        }
    }

    private static let free = Locked(Free())

    /// Makes a pointer for an object, which lives until ``take(_:as:_:)`` at least.
    ///
    /// - Throws: `unavailable` where there are sixteen million already.
    package static func give(_ object: some TritonObject) throws(HalcyonError) -> OpaquePointer {
        let region = Region.shared
        guard let index = free.withLock({ $0.take(limit: region.count) }), let cell = region.cell(index) else {
            throw HalcyonError(
                .unavailable, "there are \(region.count) handles already, and no memory for another")
        }
        cell.initialize(
            to: Cell(kind: type(of: object).kind.rawValue, object: Unmanaged.passRetained(object).toOpaque()))
        return OpaquePointer(cell)
    }

    /// The object of a pointer.
    ///
    /// - Parameter name: what the pointer is called, for the error.
    /// - Throws: `invalidArgument` for NULL, for what is no handle, for one of another kind and for one that was given
    ///   up.
    package static func object<Object: TritonObject>(
        _ pointer: OpaquePointer?, as type: Object.Type = Object.self, _ name: @autoclosure () -> String
    ) throws(HalcyonError) -> Object {
        let cell = try cell(pointer, Object.kind, name)
        guard let object = cell.pointee.object else { throw fault(cell.pointee.kind, Object.kind, name()) }
        return unsafeDowncast(Unmanaged<TritonObject>.fromOpaque(object).takeUnretainedValue(), to: Object.self)
    }

    /// Gives a pointer up, and with it what it kept alive.
    ///
    /// - Throws: as ``object(_:as:_:)``.
    @discardableResult
    package static func take<Object: TritonObject>(
        _ pointer: OpaquePointer?, as type: Object.Type = Object.self, _ name: @autoclosure () -> String
    ) throws(HalcyonError) -> Object {
        let cell = try cell(pointer, Object.kind, name)
        // Two threads that give the same one up: one of them gets it.
        let object = free.withLock { free -> UnsafeMutableRawPointer? in
            guard cell.pointee.kind == Object.kind.rawValue else { return nil }
            let object = cell.pointee.object
            cell.pointee = Cell(kind: 0, object: nil)
            free.resting.append(
                Int32(truncatingIfNeeded: (UInt(bitPattern: cell) - Region.shared.start) / 16))
            return object
        }
        guard let object else { throw fault(0, Object.kind, name()) }
        return unsafeDowncast(Unmanaged<TritonObject>.fromOpaque(object).takeRetainedValue(), to: Object.self)
    }

    private static func cell(
        _ pointer: OpaquePointer?, _ kind: HandleKind, _ name: () -> String
    ) throws(HalcyonError) -> UnsafeMutablePointer<Cell> {
        guard let pointer else { throw HalcyonError(.invalidArgument, "'\(name())' is NULL, expected \(kind.title)") }
        guard let cell = Region.shared.cell(pointer) else {
            throw HalcyonError(
                .invalidArgument, "'\(name())' is a pointer that nobody was given, expected \(kind.title)")
        }
        guard cell.pointee.kind == kind.rawValue else { throw fault(cell.pointee.kind, kind, name()) }
        return cell
    }

    private static func fault(_ found: UInt64, _ kind: HandleKind, _ name: String) -> HalcyonError {
        let found = HandleKind(rawValue: found).map(\.title) ?? "a handle that was given up"
        return HalcyonError(.invalidArgument, "'\(name)' is \(found), expected \(kind.title)")
    }
}

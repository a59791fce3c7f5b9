import Glibc
import KServeProtocol
import Tensors
import Testing

@Suite("Shared memory")
struct SharedMemoryTests {
    /// A memory object of the system; gone with the value.
    private final class Object {
        let key: String
        let descriptor: Int32

        init(byteCount: Int) throws {
            key = "/halcyon-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            descriptor = shm_open(key, O_RDWR | O_CREAT | O_EXCL, 0o600)
            try #require(descriptor >= 0 && ftruncate(descriptor, byteCount) == 0)
        }

        deinit {
            close(descriptor)
            shm_unlink(key)
        }
    }

    private func reference(_ name: String, _ offset: Int, _ byteCount: Int) -> RegionReference {
        RegionReference(name: name, offset: offset, byteCount: byteCount)
    }

    @Test("A region is the object's own bytes, from its offset on")
    func bytes() throws {
        let object = try Object(byteCount: 100)
        let memory = SharedMemory(isAllowed: true)
        try memory.register(.init(name: "r", key: object.key, offset: 10, byteCount: 90))
        pwrite(object.descriptor, [7] as [UInt8], 1, 12)
        #expect(try memory.buffer(reference("r", 2, 1)).withUnsafeBytes { $0[0] } == 7)
        try memory.write(try Tensor(name: "O", shape: [1], [9] as [UInt8]), to: reference("r", 89, 1))
        var byte: UInt8 = 0
        pread(object.descriptor, &byte, 1, 99)
        #expect(byte == 9)
        #expect(try memory.status().map(\.name) == ["r"])
    }

    @Test(
        "Nothing outside a region can be named", arguments: [(91, 0), (90, 1), (0, 91), (-1, 1), (0, -1), (1, Int.max)])
    func ranges(offset: Int, byteCount: Int) throws {
        let object = try Object(byteCount: 100)
        let memory = SharedMemory(isAllowed: true)
        try memory.register(.init(name: "r", key: object.key, offset: 10, byteCount: 90))
        #expect(throws: HalcyonError.self) { try memory.buffer(reference("r", offset, byteCount)) }
    }

    @Test("What can't be registered", arguments: [(0, 101), (1, 100), (-1, 1), (0, 0), (Int.max, 1)])
    func registration(offset: Int, byteCount: Int) throws {
        let object = try Object(byteCount: 100)
        let memory = SharedMemory(isAllowed: true)
        #expect(throws: HalcyonError.self) {
            try memory.register(.init(name: "r", key: object.key, offset: offset, byteCount: byteCount))
        }
        #expect(throws: HalcyonError.self) {
            try SharedMemory(isAllowed: false).register(.init(name: "r", key: object.key, offset: 0, byteCount: 1))
        }
    }

    @Test(
        "Keys that name no object are the client's fault",
        arguments: ["/", "///", "", "/a/b", "..", "/.", "a\u{0}b", "/" + String(repeating: "k", count: 256)])
    func keys(key: String) {
        let error = #expect(throws: HalcyonError.self) {
            try SharedMemory(isAllowed: true).register(.init(name: "r", key: key, offset: 0, byteCount: 1))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("cannot register shared memory region 'r' - invalid shm key '") == true)
        #expect((error?.message.utf8.count ?? 0) < 500)
    }

    @Test("A key without an object says so")
    func absent() {
        let error = #expect(throws: HalcyonError.self) {
            try SharedMemory(isAllowed: true).register(
                .init(name: "r", key: "/halcyon-no-such-object", offset: 0, byteCount: 1))
        }
        #expect(error?.code == .invalidArgument)
        #expect(
            error?.message.hasPrefix("Unable to open shared memory region: '/halcyon-no-such-object'") == true)
    }

    @Test("An object that is made smaller under a request gives zeros, and the process goes on")
    func truncation() throws {
        let object = try Object(byteCount: 3 << 12)
        let memory = SharedMemory(isAllowed: true)
        try memory.register(.init(name: "r", key: object.key, offset: 0, byteCount: 3 << 12))
        let buffer = try memory.buffer(reference("r", 0, 3 << 12))
        pwrite(object.descriptor, [7] as [UInt8], 1, 0)
        try #require(ftruncate(object.descriptor, 1 << 12) == 0)
        let sum = buffer.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
        #expect(sum == 7)
        #expect(throws: HalcyonError.self) { try memory.buffer(reference("r", 0, 1)) }
    }
}

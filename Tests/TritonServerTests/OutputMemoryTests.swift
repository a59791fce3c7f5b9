import CTriton
import Foundation
import HalcyonTestKit
import Tensors
import Testing

@Suite("Outputs in the memory of a C program's allocator", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct OutputMemoryTests {
    private static let writer = """
        backend: "writer"
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ -1 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        """

    /// A server with a backend that writes where it is told to, and the folder that this lies in.
    private func fixture() throws -> (Fixture, Folder) {
        let folder = try Folder()
        try CLibrary.compile(Fixture.library("writer"), to: "\(folder.path)/writer/libtriton_writer.so")
        return (
            try Fixture(["writer": Self.writer]) {
                try check(TRITONSERVER_ServerOptionsSetBackendDirectory($0, folder.path))
            }, folder
        )
    }

    @Test("A backend writes into the allocator's memory, which the response then has")
    func inPlace() throws {
        let (fixture, folder) = try fixture()
        let call = try Call(fixture, "writer")
        try call.add([1, 2, 3], shape: [3])
        for count in 1...2 {
            try call.infer(on: fixture)
            let seen = call.seen.wait { $0.responses.count == count && $0.releases == count }
            let response = seen.responses[count - 1]
            #expect(response.error == nil)
            #expect(int32s(response.outputs["OUT"]) == [1, 2, 3])
            #expect(response.numbers["address"] == response.addresses["OUT"].map(Int64.init))
            #expect(seen.allocated == count && seen.starts == count && seen.freed == count)
        }
        withExtendedLifetime(folder) {}
    }

    @Test("Memory that was given for a response that never came goes back")
    func unused() throws {
        let (fixture, folder) = try fixture()
        let call = try Call(fixture, "writer")
        try call.add([9, 2], shape: [2])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 && $0.freed == 1 }
        #expect(seen.responses[0].error?.message.contains("as the request asks") == true)
        #expect(seen.allocated == 1 && seen.starts == 1)
        withExtendedLifetime(folder) {}
    }

    @Test("An allocator that refuses ends the request with its own words")
    func refused() throws {
        let (fixture, folder) = try fixture()
        let call = try Call(
            fixture, "writer",
            allocate: { _, _, _, _, _, _, _, _, _, _ in
                TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "no room today")
            })
        try call.add([1], shape: [1])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        #expect(seen.responses[0].error?.message.contains("no room today") == true)
        #expect(seen.freed == 0 && seen.starts == 1)
        withExtendedLifetime(folder) {}
    }

    @Test("The allocator is told of a response that is an error, too")
    func errorsAreStarted() throws {
        let (fixture, folder) = try fixture()
        let call = try Call(fixture, "writer")
        try call.add([8], shape: [1])
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }
        #expect(seen.responses[0].error?.message.contains("as the request asks") == true)
        #expect(seen.starts == 1 && seen.allocated == 0)
        withExtendedLifetime(folder) {}
    }

    @Test("A backend learns from the query function where the program would put an output")
    func query() throws {
        let (fixture, folder) = try fixture()
        let call = try Call(fixture, "writer")
        try call.add([1, 2, 3], shape: [3])
        try call.infer(on: fixture)
        let first = call.seen.wait { $0.responses.count == 1 && $0.releases == 1 }.responses[0]
        #expect(first.numbers["liked_type"] == nil)

        try check(
            TRITONSERVER_ResponseAllocatorSetQueryFunction(call.allocator) { _, userp, name, size, type, id in
                Seen.at(userp)?.change { $0.events.append("query \(name.map { String(cString: $0) } ?? "?")") }
                if let size { size.pointee += 1 }
                type?.pointee = TRITONSERVER_MEMORY_GPU
                id?.pointee = 5
                return nil
            })
        try call.infer(on: fixture)
        let seen = call.seen.wait { $0.responses.count == 2 && $0.releases == 2 }
        #expect(seen.events.contains("query OUT"))
        #expect(seen.responses[1].numbers["liked_type"] == Int64(TRITONSERVER_MEMORY_GPU.rawValue))
        #expect(seen.responses[1].numbers["liked_id"] == 5)
        #expect(seen.responses[1].numbers["liked_size"] == 13)
        withExtendedLifetime(folder) {}
    }
}

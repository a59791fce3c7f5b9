import CTriton
import Halcyon
import HalcyonTestKit
import ModelRuntime
import Tensors
import Testing

@Suite("A backend in C that gives wrong arguments", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct ArgumentsTests {
    private static let configuration = """
        backend: "arguments"
        max_batch_size: 4
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ 2 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 2 ] } ]
        instance_group [ { count: 1 kind: KIND_CPU } ]
        sequence_batching {
          control_input [ {
            name: "ID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_STRING } ]
          } ]
          state [ { input_name: "BEFORE" output_name: "NEXT" data_type: TYPE_INT32 dims: [ 2 ] } ]
        }
        """

    @Test("each function of a backend's works with right arguments, and with each wrong one it says which that is")
    func all() async throws {
        let folder = try ScratchFolder()
        try folder.makeFolder("models/arguments/1")
        try folder.write(Self.configuration, to: "models/arguments/config.pbtxt")
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        try CLibrary.compile(
            "/\(here)/Backends/arguments.c", to: "\(folder.path)/backends/arguments/libtriton_arguments.so")
        var options = ServerOptions(repositoryPaths: ["\(folder.path)/models"])
        options.backendDirectory = "\(folder.path)/backends"
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        var request = InferenceRequest(
            modelName: "arguments", id: "one", inputs: [try Tensor(name: "IN", shape: [1, 2], [1, 2] as [Int32])])
        request.sequence = InferenceSequence(id: .text("mine"), isStart: true, isEnd: true)
        request.parameters = [InferenceParameter("key", .string("value"))]
        let response = try await server.infer(request)
        let counts = try response.output("OUT").elements(as: Int32.self)
        #expect(counts[0] > 400)

        // The backend's table names all of them.
        var functions = [halcyon_triton_function](repeating: halcyon_triton_function(), count: 400)
        let count = halcyon_triton_functions(&functions, functions.count)
        let names = functions.prefix(count).map { String(cString: $0.name) }
        #expect(names.filter { $0.hasPrefix("TRITONBACKEND_") }.count == Int(counts[1]))
        await server.shutdown()
    }
}

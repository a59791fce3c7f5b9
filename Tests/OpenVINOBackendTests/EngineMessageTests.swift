import Testing

@testable import OpenVINOBackend

@Suite struct EngineMessageTests {
    @Test func `The places in the engine's source go, the complaint stays, in one line`() {
        let text = """
            Exception from src/inference/src/cpp/core.cpp:117:
            Exception from src/inference/src/dev/plugin.cpp:54:
              NotFound: Unsupported property FOO by CPU plugin.
            Try another.


            """
        #expect(EngineMessage.condensed(text) == "NotFound: Unsupported property FOO by CPU plugin. Try another.")
    }
}

import Testing

@testable import halcyon

@Suite("The name that the program is started by")
struct ProgramNameTests {
    @Test(
        "As tritonserver it serves",
        arguments: [
            (["/opt/bin/tritonserver", "--model-repository=/m"], ["serve", "--model-repository=/m"]),
            (["tritonserver", "--http-port", "80"], ["serve", "--http-port", "80"]),
            (["tritonserver"], ["serve"]),
            (["./tritonserver", "serve", "--id", "a"], ["serve", "--id", "a"]),
            (["halcyon", "lint", "m"], ["lint", "m"]),
            (["/opt/tritonserver/bin/halcyon", "bench"], ["bench"]),
            ([], []),
        ])
    func arguments(line: [String], expected: [String]) {
        #expect(ProgramName.arguments(of: line) == expected)
    }
}

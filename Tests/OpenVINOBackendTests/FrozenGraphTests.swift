import Testing

@testable import OpenVINOBackend

@Suite struct FrozenGraphTests {
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }

    private func node(_ name: String, _ inputs: [String]) -> [UInt8] {
        field(1, field(1, Array(name.utf8)) + inputs.flatMap { field(3, Array($0.utf8)) })
    }

    private func terminals(_ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { FrozenGraph.terminalNodes(in: $0) }
    }

    @Test func `Terminal nodes are those that no node reads, by whichever form of reference`() {
        let graph =
            node("image", []) + node("body", ["image"]) + node("split", ["body:1"]) + node("guard", [])
            + node("boxes", ["split", "^guard"]) + node("scores", ["split:2"])
        #expect(terminals(graph) == ["boxes", "scores"])
    }

    @Test func `Other fields of graph and node are passed over`() {
        let version: [UInt8] = field(4, [8, 21])
        let numbered: [UInt8] = [7 << 3 | 0, 0x96, 0x01]
        #expect(terminals(version + numbered + node("only", [])) == ["only"])
    }

    @Test func `Damaged bytes end the reading and nothing else`() {
        let graph = node("first", []) + node("second", ["first"])
        for length in 0..<graph.count {
            #expect(terminals(Array(graph.prefix(length))).count <= 1)
        }
        #expect(terminals([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).isEmpty)
        #expect(terminals([UInt8](repeating: 0xFF, count: 40)).isEmpty)
    }
}

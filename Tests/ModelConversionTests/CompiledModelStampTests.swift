import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import CompiledModels

struct CompiledModelStampTests {
    private let stamp = CompiledModelStamp(
        engineVersion: "2026.4.1", processor: ProcessorIdentity(name: "Processor", features: ["avx2", "sse2"]),
        blob: FileChecksum(byteCount: 5, sum: .max), sources: ["model.xml": FileChecksum(byteCount: 7, sum: 1)])

    @Test func `A stamp reads back as it was`() {
        #expect(CompiledModelStamp.parse(Array(stamp.text.utf8)) == stamp)
    }

    @Test func `What is no stamp is none`() {
        for text in ["", "{}", "[]", stamp.text.replacingOccurrences(of: "model 1", with: "model 2")] {
            #expect(CompiledModelStamp.parse(Array(text.utf8)) == nil)
        }
        for name in ["../x", "a/b", ".x", ""] {
            let text = stamp.text.replacingOccurrences(of: "model.xml", with: name)
            #expect(CompiledModelStamp.parse(Array(text.utf8)) == nil, "\(name)")
        }
        #expect(CompiledModelStamp.parse(Array(stamp.text.utf8.dropLast(20))) == nil)
    }

    @Test func `It fits one engine and one kind of processor`() {
        let here = stamp.processor
        #expect(stamp.complaint(engineVersion: "2026.4.1", processor: here) == nil)
        #expect(stamp.complaint(engineVersion: "2026.5", processor: here)?.contains("2026.5") == true)
        let less = ProcessorIdentity(name: "Processor", features: ["sse2"])
        #expect(stamp.complaint(engineVersion: "2026.4.1", processor: less)?.contains("without avx2") == true)
        let more = ProcessorIdentity(name: "Processor", features: ["amx_int8", "avx2", "sse2"])
        #expect(stamp.complaint(engineVersion: "2026.4.1", processor: more)?.contains("with amx_int8") == true)
    }

    @Test func `The processor is what its cores have in common`() {
        let text = """
            processor\t: 0
            model name\t: A Processor
            flags\t\t: fpu sse2 avx2 smep amx_int8

            processor\t: 1
            model name\t: A Processor
            flags\t\t: fpu sse2 avx2 smep
            """
        #expect(ProcessorIdentity(cpuinfo: text) == ProcessorIdentity(name: "A Processor", features: ["avx2", "sse2"]))
        #expect(ProcessorIdentity(cpuinfo: "") == ProcessorIdentity(name: "unknown", features: []))
    }

    @Test func `A sum notices a changed byte and a lost one`() throws {
        let file = try TemporaryFolder.make().appendingPathComponent("file")
        var bytes = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
        try bytes.write(to: file)
        let before = try FileChecksum(ofFile: file.path)
        #expect(before == bytes.withUnsafeBytes { FileChecksum(of: $0) })
        bytes[2_500_000] ^= 1
        try bytes.write(to: file)
        #expect(try FileChecksum(ofFile: file.path) != before)
        #expect(throws: HalcyonError.self) { try FileChecksum(ofFile: file.path + "x") }
    }
}

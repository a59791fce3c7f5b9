internal import Tensors
internal import TritonInterface

// What libFuzzer calls with what a cache library gives back for an answer: tensors of this request, or none.

/// The first byte says how long the request is, which follows it. Behind it lie the buffers: each has its size in two
/// bytes in front, and the last ends where the input does.
@_cdecl("halcyon_fuzz_answer")
public func readAnswer(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let start, count > 0 else { return }
    let input = UnsafeRawBufferPointer(start: start, count: count)
    var offset = min(1 + Int(input[0]), count)
    let request = Array(input[1..<offset])
    var buffers: [UnsafeRawBufferPointer] = []
    while offset + 2 <= count {
        let size = min(Int(input[offset]) | Int(input[offset + 1]) << 8, count - offset - 2)
        // Of its own memory, so that the sanitizer sees what is read beyond it.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[offset + 2..<offset + 2 + size]))
        buffers.append(UnsafeRawBufferPointer(buffer))
        offset += 2 + size
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    guard let outputs = AnswerRecord.outputs(buffers, for: request) else { return }
    let header = AnswerRecord.header(request, outputs)
    let again = header.withUnsafeBytes { header in
        AnswerRecord.outputs(
            [header] + outputs.map(\.data).filter { $0.byteCount > 0 }.map { $0.withUnsafeBytes { $0 } }, for: request)
    }
    guard let again, again.count == outputs.count else { preconditionFailure("what was written can't be read") }
    for (one, other) in zip(outputs, again) {
        precondition(one.name == other.name && one.elementType == other.elementType && one.shape == other.shape)
        precondition(one.data.withUnsafeBytes(Array.init) == other.data.withUnsafeBytes(Array.init))
    }
    let other = request + [0]
    precondition(AnswerRecord.outputs(buffers, for: other) == nil, "another request gets this one's answer")
}

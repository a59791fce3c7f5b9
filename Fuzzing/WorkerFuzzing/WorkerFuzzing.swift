internal import ModelIsolation
internal import Tensors

// What libFuzzer calls with what a worker, or a server, says to the other: it is read, or refused in words.

/// A stream of messages of every kind, cut into frames and read; what was read can be written, and is the same then.
@_cdecl("halcyon_fuzz_worker")
public func readWorkerMessages(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let start, count > 1 else { return }
    let kind = start[0] % 4
    var splitter = FrameSplitter(limit: 1 << 20)
    splitter.take(UnsafeRawBufferPointer(start: start + 1, count: count - 1))
    do {
        while let body = try splitter.next() { try read(kind, body) }
    } catch {
        precondition(!error.description.isEmpty)
    }
}

private func read(_ kind: UInt8, _ body: TensorBuffer) throws(ProtocolFault) {
    switch kind {
    case 0:
        let request = try ControlRequest(body)
        same(try? request.frame()) { (again) throws(ProtocolFault) in try ControlRequest(again).frame }
    case 1:
        let answer = try ControlAnswer(body)
        same(try? answer.frame()) { (again) throws(ProtocolFault) in try ControlAnswer(again).frame }
    case 2:
        let request = try InstanceRequest(body)
        precondition(request.descriptorCount >= 0)
        same(try? request.frame()) { (again) throws(ProtocolFault) in try InstanceRequest(again).frame }
    default:
        let answer = try InstanceAnswer(body)
        precondition(answer.descriptorCount >= 0)
        same(try? answer.frame()) { (again) throws(ProtocolFault) in try InstanceAnswer(again).frame }
    }
}

private func same(
    _ frame: [UInt8]?, _ read: (TensorBuffer) throws(ProtocolFault) -> () throws(HalcyonError) -> [UInt8]
) {
    guard let frame else { return }
    var splitter = FrameSplitter()
    frame.withUnsafeBytes { splitter.take($0) }
    guard let body = try? splitter.next(), let again = try? read(body)() else {
        preconditionFailure("what was written can't be read")
    }
    precondition(again == frame, "what was written is read as something else")
}

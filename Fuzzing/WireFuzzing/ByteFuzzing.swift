internal import Halcyon
internal import JSONText
internal import KServeProtocol
internal import Tensors
internal import Transport

// Readers of bytes that are no requests by themselves.

/// A compressed body; the first byte says how.
@_cdecl("halcyon_fuzz_inflate")
public func fuzzInflate(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let start, count > 1 else { return }
    let coding: Compression = start[0] & 1 == 0 ? .gzip : .deflate
    let budget = ByteBudget(maximum: 1 << 18)
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    do {
        let plain = try coding.decompress(bytes, limit: 1 << 17, limitName: "limit", budget: budget)
        precondition(plain.byteCount <= 1 << 17)
    } catch {
        // As good as any.
    }
    precondition(budget.usedBytes == 0)
}

/// The texts of settings and of loads.
@_cdecl("halcyon_fuzz_settings")
public func fuzzSettings(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    var scanner = JSONScanner(bytes, limits: ProtocolLimits().documentText)
    guard case .object(let members)? = try? scanner.value() else { return }
    var texts: [String: [String]] = [:]
    var parameters: [String: LoadRequest.Value] = [:]
    for member in members {
        guard case .string(let text) = member.value else { continue }
        texts[member.key] = [text]
        parameters[member.key] = .text(text)
    }
    _ = try? TraceChange(texts)
    _ = try? LoadRequest(parameters)
    _ = try? LogSettings(.init(), isChangeAllowed: true).change(
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
}

internal import Glibc
internal import ObjectStorage
internal import Tensors

// What libFuzzer calls with what stores on the network send, and with files that name them: it is read, or refused in
// a sentence that is one line.

/// A part of a listing: XML of S3 and of Azure, JSON of Google Cloud; the first byte says which.
@_cdecl("halcyon_fuzz_listing")
public func readListing(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let (kind, bytes) = parted(start, count) else { return }
    attempt { () throws(HalcyonError) in
        checkPaths(try UntrustedInput(locations[kind % 3], nothing).paths(listing: bytes))
    }
}

/// An answer that refuses: its status as two bytes, lines of headers, an empty one, and a body.
@_cdecl("halcyon_fuzz_refusal")
public func readRefusal(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let (kind, bytes) = parted(start, count), bytes.count > 2 else { return }
    var headers: [(name: String, value: String)] = []
    var rest = bytes[2...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[..<end]
        rest = rest[(end + 1)...]
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { break }
        // As a wire gives them: names in small letters.
        headers.append(
            (
                String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                String(decoding: line[(colon + 1)...], as: UTF8.self)
            ))
    }
    let status = 200 + (Int(bytes[0]) << 8 | Int(bytes[1])) % 400
    attempt { () throws(HalcyonError) in
        let delay = try UntrustedInput(locations[kind % 4], nothing).refusal(
            status: status, headers: headers, body: Array(rest), now: now)
        precondition(delay >= 0)
    }
}

/// An archive; the first byte says of which form. Those of tar have their sums put right before.
@_cdecl("halcyon_fuzz_archive")
public func unpackArchive(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let (kind, content) = parted(start, count) else { return }
    var bytes = content
    if kind % 3 == 0 { putSumsRight(&bytes) }
    let path = archivePath + [".tar", ".tar.gz", ".zip"][kind % 3]
    guard let file = fopen(path, "w") else {
        perror(path)
        exit(1)
    }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    attempt { () throws(HalcyonError) in checkPaths(try UntrustedInput.paths(archive: path, byteLimit: 1 << 20)) }
}

/// A file that says who one is, profiles or JSON, and behind a zero byte what whoever is asked then answers.
@_cdecl("halcyon_fuzz_credentials")
public func findCredentials(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let (kind, bytes) = parted(start, count) else { return }
    let file = Array(bytes.prefix { $0 != 0 })
    var surroundings = Surroundings(environment: [:]) { _ in file }
    if kind & 4 != 0 {
        surroundings.environment = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": "token", "AWS_ROLE_ARN": "role", "AZURE_FEDERATED_TOKEN_FILE": "token",
            "AZURE_CLIENT_ID": "client", "AZURE_TENANT_ID": "tenant",
            "AZURE_STORAGE_CONNECTION_STRING": String(decoding: file, as: UTF8.self),
            "GOOGLE_APPLICATION_CREDENTIALS": "file",
        ]
    }
    attempt { () throws(HalcyonError) in
        let count = try UntrustedInput(locations[kind % 3], surroundings).credentials(
            answer: Array(bytes.dropFirst(file.count + 1)), now: now)
        precondition(count >= 0)
    }
}

private let now: Int64 = 1_700_000_000
private let locations = [
    "s3://bucket/models", "as://account/container/models", "gs://bucket/models",
    "https://host/models.tar#sha256=" + String(repeating: "0", count: 64),
]
private let nothing = Surroundings(environment: [:]) { _ in nil }
private let archivePath = "/dev/shm/halcyon-fuzz-archive-\(getpid())"

private func parted(_ start: UnsafePointer<UInt8>?, _ count: Int) -> (kind: Int, bytes: [UInt8])? {
    guard let start, count > 1 else { return nil }
    return (Int(start[0]), Array(UnsafeBufferPointer(start: start + 1, count: count - 1)))
}

private func attempt(_ body: () throws(HalcyonError) -> Void) {
    do throws(HalcyonError) {
        try body()
    } catch {
        precondition(!error.message.isEmpty && error.message.utf8.count < 8192, "a sentence of no length, or of any")
        precondition(!error.message.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "more than one line, or none to show")
    }
}

/// No file may lie outside of the folder that it is laid into.
private func checkPaths(_ paths: [String]) {
    for path in paths {
        precondition(!path.utf8.contains(0), "a path with a zero byte")
        for part in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            precondition(!part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8), path)
        }
    }
}

private func putSumsRight(_ bytes: inout [UInt8]) {
    for block in stride(from: 0, through: bytes.count - 512, by: 512) where bytes[block] != 0 {
        bytes.replaceSubrange((block + 148)..<(block + 156), with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(bytes[block..<(block + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
        bytes.replaceSubrange((block + 148)..<(block + 148 + sum.utf8.count), with: sum.utf8)
    }
}

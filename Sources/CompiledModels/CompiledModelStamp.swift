private import Glibc
internal import JSONText
package import Tensors

/// What lies beside a compiled model, `model.blob.json`: for which engine and which processor it was made, and what its
/// bytes and those of its source must be.
///
/// A compiled model is the engine's own memory laid down in a file, which the engine trusts when it reads it: one that
/// is damaged, or made by another build, can end the process. So nothing of it reaches the engine before this page has
/// been compared.
package struct CompiledModelStamp: Hashable, Sendable {
    /// The build that made it, as the engine calls itself.
    package var engineVersion: String
    package var processor: ProcessorIdentity
    package var blob: FileChecksum
    /// The files that it was made of, by name: they lie beside it, or nowhere any more.
    package var sources: [String: FileChecksum]

    package init(
        engineVersion: String, processor: ProcessorIdentity, blob: FileChecksum, sources: [String: FileChecksum] = [:]
    ) {
        self.engineVersion = engineVersion
        self.processor = processor
        self.blob = blob
        self.sources = sources
    }

    /// Where the stamp of a compiled model lies.
    package static func path(ofBlob path: String) -> String { path + ".json" }

    /// Why this engine on this machine can't use it, or `nil` where it can.
    package func complaint(engineVersion: String, processor: ProcessorIdentity) -> String? {
        if self.engineVersion != engineVersion {
            return "it was compiled by OpenVINO \(self.engineVersion), and this is \(engineVersion)"
        }
        guard self.processor != processor else { return nil }
        let missing = self.processor.features.filter { !processor.features.contains($0) }
        let added = processor.features.filter { !self.processor.features.contains($0) }
        let differences = [
            missing.isEmpty ? nil : "without \(missing.joined(separator: ", "))",
            added.isEmpty ? nil : "with \(added.joined(separator: ", ")) beside",
        ].compactMap { $0 }
        return "it was compiled for the processor '\(self.processor.name)', and this is '\(processor.name)'"
            + (differences.isEmpty ? "" : " " + differences.joined(separator: " and "))
    }

    // MARK: The file

    private static let formatName = "halcyon compiled model 1"
    private static let maximumByteCount = 1 << 16

    /// The file's text.
    package var text: String {
        let document: JSONValue = [
            "format": .string(Self.formatName), "engine": .string(engineVersion),
            "processor": [
                "name": .string(processor.name), "features": .array(processor.features.map(JSONValue.string)),
            ],
            "blob": Self.json(blob),
            "sources": .object(sources.sorted { $0.key < $1.key }.map { .init($0.key, Self.json($0.value)) }),
        ]
        return document.pretty + "\n"
    }

    private static func json(_ checksum: FileChecksum) -> JSONValue {
        ["bytes": .integer(Int64(checksum.byteCount)), "sum": .string(String(checksum.sum, radix: 16))]
    }

    /// Reads the stamp beside a compiled model.
    ///
    /// - Throws: `unavailable` where it is missing or no stamp.
    package init(besideBlob blob: String) throws(HalcyonError) {
        let path = Self.path(ofBlob: blob)
        guard let stream = fopen(path, "re") else {
            throw HalcyonError(
                .unavailable,
                "'\(path)', which says what it was compiled for, can't be read: "
                    + String(cString: strerror(errno)))
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: Self.maximumByteCount)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard let stamp = Self.parse(Array(bytes.prefix(count))) else {
            throw HalcyonError(.unavailable, "'\(path)' is damaged: it does not say what it was compiled for")
        }
        self = stamp
    }

    static func parse(_ bytes: [UInt8]) -> CompiledModelStamp? {
        let document = bytes.withUnsafeBytes { try? JSONValue(reading: $0, depth: 8) }
        guard let document, document["format"]?.text == formatName, let engine = document["engine"]?.text,
            let processor = document["processor"], let name = processor["name"]?.text,
            let features = processor["features"]?.elements, let blob = checksum(document["blob"]),
            case .object(let members) = document["sources"]
        else { return nil }
        var sources: [String: FileChecksum] = [:]
        for member in members {
            // A name leads to a file beside the compiled model and nowhere else.
            guard !member.key.isEmpty, !member.key.hasPrefix("."), !member.key.contains("/"),
                let sum = checksum(member.value)
            else { return nil }
            sources[member.key] = sum
        }
        return CompiledModelStamp(
            engineVersion: engine, processor: ProcessorIdentity(name: name, features: features.compactMap(\.text)),
            blob: blob,
            sources: sources)
    }

    private static func checksum(_ value: JSONValue?) -> FileChecksum? {
        guard let value, case .integer(let bytes) = value["bytes"], let count = Int(exactly: bytes), count >= 0,
            let text = value["sum"]?.text, let sum = UInt64(text, radix: 16)
        else { return nil }
        return FileChecksum(byteCount: count, sum: sum)
    }
}

internal import ArgumentParser
internal import LoadGeneration
internal import Tensors

/// How a server is reached.
struct ClientFlags: ParsableArguments {
    enum Memory: String, WordFlag {
        case none
        case system
    }

    @Option(help: ArgumentHelp("The server: http, https, grpc or grpcs.", valueName: "address"))
    var url: String?

    @Option(help: ArgumentHelp("The model's version; by default the newest.", valueName: "number"))
    var modelVersion: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp(
            "Goes with every request; may be given several times.", valueName: "name:value"))
    var headers: [String] = []

    @Option(help: ArgumentHelp("The certificates to trust, in place of the system's.", valueName: "file"))
    var tlsRootCert: String?

    @Option(help: ArgumentHelp("This client's certificate.", valueName: "file"))
    var tlsClientCert: String?

    @Option(help: ArgumentHelp("The key of this client's certificate.", valueName: "file"))
    var tlsClientKey: String?

    @Flag(help: "Trust whatever certificate the server shows.")
    var tlsInsecure = false

    @Option(
        help: "Where tensors are: none for in the requests, system for memory shared with a server on this machine.")
    var sharedMemory = Memory.none

    @Option(help: "Bytes of shared memory for an output whose size does not follow from the model.")
    var outputSharedMemorySize = 102_400

    @Flag(help: "Write tensors over HTTP as JSON numbers, in place of bytes.")
    var jsonTensors = false

    func validate() throws {
        if let modelVersion, Int64(modelVersion).map({ $0 > 0 }) != true {
            throw ValidationError("--model-version is a number from 1, got '\(modelVersion)'")
        }
        guard (1...1 << 32).contains(outputSharedMemorySize) else {
            throw ValidationError("--output-shared-memory-size is a number from 1, got \(outputSharedMemorySize)")
        }
    }

    /// What has no meaning without a server of its own.
    var usedFlags: [String] {
        [
            (url != nil, "--url"), (!headers.isEmpty, "--header"), (tlsRootCert != nil, "--tls-root-cert"),
            (tlsClientCert != nil, "--tls-client-cert"), (tlsClientKey != nil, "--tls-client-key"),
            (tlsInsecure, "--tls-insecure"), (sharedMemory == .system, "--shared-memory"),
            (jsonTensors, "--json-tensors"),
        ].filter(\.0).map(\.1)
    }

    var tls: ClientTLSOptions {
        var options = ClientTLSOptions()
        options.rootPath = tlsRootCert
        options.certificatePath = tlsClientCert
        options.keyPath = tlsClientKey
        options.trustsAnybody = tlsInsecure
        return options
    }

    /// - Throws: `invalidArgument` for a header that is none.
    func parsedHeaders() throws(HalcyonError) -> [(name: String, value: String)] {
        var parsed: [(name: String, value: String)] = []
        for header in headers {
            guard let colon = header.firstIndex(of: ":"), colon != header.startIndex,
                header[..<colon].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
                header.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw HalcyonError(.invalidArgument, "--header takes 'name: value', got '\(header)'")
            }
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            parsed.append((header[..<colon].lowercased(), String(value)))
        }
        return parsed
    }
}

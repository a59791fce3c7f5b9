internal import ArgumentParser
internal import FlightRecords
internal import JSONText
internal import LoadGeneration
internal import Tensors
internal import Transport
internal import URIText

/// The server whose batches are looked at.
struct RecordingSource: ParsableArguments {
    @Option(help: ArgumentHelp("The server's HTTP address.", valueName: "address"))
    var url = "http://localhost:8000"

    @Option(help: ArgumentHelp("A version of the model; the newest where it is not given.", valueName: "number"))
    var modelVersion: Int64?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp(
            "A header that the server asks for (--http-restricted-api); several times for several.",
            valueName: "name: value"))
    var headers: [String] = []

    @Option(
        help: ArgumentHelp(
            "The certificate that the server's goes back to, PEM; those that the system trusts where it is not given.",
            valueName: "file"))
    var rootCert: String?

    /// - Throws: `unavailable` where there is no such server; what the server says where it has no such model.
    func recording(of model: String) async throws -> Recording {
        let base = url.last == "/" ? String(url.dropLast()) : url
        guard !base.hasPrefix("grpc") else {
            throw HalcyonError(
                .invalidArgument,
                "--url \(url): batches are asked for over HTTP: "
                    + "name the server's HTTP address, http://HOST:8000")
        }
        let version = modelVersion.map { "/versions/\($0)" } ?? ""
        var request = HTTPFetch.Request(url: "\(base)/v2/models/\(PercentEncoding.encode(model))\(version)/batches")
        request.headers = try headers.map(Self.header)
        request.rootCertificate = rootCert
        let answer = try await HTTPFetch.get(request)
        guard answer.status == 200 else { throw Self.refusal(answer, model: model) }
        do {
            return try Recording(text: answer.body)
        } catch {
            throw HalcyonError(error.code, "the answer of \(base) is no recording: \(error.message)")
        }
    }

    private static func header(_ text: String) throws(HalcyonError) -> (name: String, value: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isToken = { (byte: UInt8) in (0x21...0x7E).contains(byte) }
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy(isToken),
            parts[1].utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw HalcyonError(.invalidArgument, "--header takes NAME: VALUE, got '\(text.shortened(to: 100))'") }
        return (String(parts[0]), String(parts[1].drop { $0 == " " }))
    }

    /// What the server says, or what its silence means.
    private static func refusal(_ answer: HTTPFetch.Answer, model: String) -> HalcyonError {
        let document = answer.body.withUnsafeBytes { try? JSONValue(reading: $0, depth: 8) }
        guard let text = document?["error"]?.text, !(answer.status == 404 && text == "Not Found") else {
            return HalcyonError(
                .unsupported,
                "the server answers with status \(answer.status) and keeps no batches that could be asked for: "
                    + "is it a Halcyon of version 0.1 or later?")
        }
        return HalcyonError(.unavailable, "the server says: \(text.shortened(to: 1000))")
    }
}

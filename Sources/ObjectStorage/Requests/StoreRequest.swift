internal import URIText

/// A request to a store, before it is sent.
struct StoreRequest: Hashable, Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    struct Field: Hashable, Sendable {
        var name: String
        var value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    var method = Method.get
    var address: WebAddress
    /// Percent-encoded, with the slash in front.
    var path: String
    /// Not encoded.
    var query: [Field] = []
    /// Names in small letters.
    var headers: [Field] = []
    var body: [UInt8] = []

    init(_ method: Method = .get, _ address: WebAddress, path: String) {
        self.method = method
        self.address = address
        self.path = address.path + path
    }

    /// It may hold what nobody should see: it is never shown.
    var url: String {
        let query = query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
        return address.origin + path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    mutating func set(_ name: String, _ value: String) {
        headers.removeAll { $0.name == name }
        headers.append(Field(name, value))
    }

    /// A form, as a body.
    mutating func setForm(_ fields: [Field]) {
        method = .post
        let text = fields.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
        body = Array(text.joined(separator: "&").utf8)
        set("content-type", "application/x-www-form-urlencoded")
    }
}

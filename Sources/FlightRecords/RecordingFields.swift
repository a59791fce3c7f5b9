internal import JSONText
internal import Tensors

/// The members of one object of a recording; what is missing or wrong is said with its place.
struct RecordingFields {
    private let members: [String: JSONValue]
    private let place: String

    init(_ value: JSONValue, at place: String) throws(HalcyonError) {
        guard case .object(let members) = value else {
            throw HalcyonError(.invalidArgument, "\(place) is to be a JSON object")
        }
        self.members = Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
        self.place = place
    }

    func complaint(_ name: String, _ expected: String, got: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "\(place): '\(name)' is to be \(expected), got \(got)")
    }

    private func member(_ name: String, _ expected: String) throws(HalcyonError) -> JSONValue {
        guard let value = members[name] else {
            throw HalcyonError(.invalidArgument, "\(place) has no '\(name)', which is to be \(expected)")
        }
        return value
    }

    func text(_ name: String) throws(HalcyonError) -> String {
        guard case .string(let text) = try member(name, "a text") else {
            throw complaint(name, "a text", got: "something else")
        }
        return text
    }

    func optionalText(_ name: String) throws(HalcyonError) -> String? {
        members[name] == nil ? nil : try text(name)
    }

    func flag(_ name: String) throws(HalcyonError) -> Bool {
        guard case .bool(let flag) = try member(name, "true or false") else {
            throw complaint(name, "true or false", got: "something else")
        }
        return flag
    }

    func count(_ name: String) throws(HalcyonError) -> UInt64 {
        switch try member(name, "a number from 0") {
        case .integer(let value) where value >= 0: return UInt64(value)
        case .unsigned(let value): return value
        default: throw complaint(name, "a number from 0", got: "something else")
        }
    }

    func integer(_ name: String, _ range: ClosedRange<Int> = 0...Int(Int32.max)) throws(HalcyonError) -> Int {
        let value = try count(name)
        guard let integer = Int(exactly: value), range.contains(integer) else {
            throw complaint(name, "a number from \(range.lowerBound) to \(range.upperBound)", got: "\(value)")
        }
        return integer
    }

    private func array(_ name: String) throws(HalcyonError) -> [JSONValue] {
        guard case .array(let values) = try member(name, "a list") else {
            throw complaint(name, "a list", got: "something else")
        }
        return values
    }

    func texts(_ name: String) throws(HalcyonError) -> [String] {
        try array(name).map { value throws(HalcyonError) in
            guard case .string(let text) = value else {
                throw complaint(name, "a list of texts", got: "something else")
            }
            return text
        }
    }

    func integers(_ name: String) throws(HalcyonError) -> [Int] {
        try array(name).map { value throws(HalcyonError) in
            guard case .integer(let number) = value, (1...Int64(Int32.max)).contains(number) else {
                throw complaint(name, "a list of numbers from 1", got: "something else")
            }
            return Int(number)
        }
    }

    func fields(_ name: String) throws(HalcyonError) -> RecordingFields {
        try RecordingFields(try member(name, "an object"), at: "\(place), '\(name)'")
    }

    func list(_ name: String) throws(HalcyonError) -> [RecordingFields] {
        try array(name).enumerated().map { element throws(HalcyonError) in
            try RecordingFields(element.element, at: "\(place), '\(name)' \(element.offset)")
        }
    }
}

internal import JSONText
internal import Tensors

/// One line of what the worker says.
enum WorkerMessage {
    case step(String)
    case progress(done: Int, total: Int)
    case notice(String)
    case result(JSONValue)
    case failure(HalcyonError)

    /// `nil` for a line that is none of these.
    init?(_ line: String) {
        guard let value = JSONValue(parsing: line) else { return nil }
        if let step = value["step"]?.text {
            self = .step(step)
        } else if let progress = value["progress"], let done = progress["done"]?.integer,
            let total = progress["total"]?.integer
        {
            self = .progress(done: done, total: total)
        } else if let notice = value["notice"]?.text {
            self = .notice(notice)
        } else if let result = value["result"] {
            self = .result(result)
        } else if let error = value["error"], let message = error["message"]?.text {
            self = .failure(HalcyonError(Self.code(error["code"]?.text), message))
        } else {
            return nil
        }
    }

    private static func code(_ name: String?) -> HalcyonError.Code {
        switch name {
        case "invalid_argument": .invalidArgument
        case "unsupported": .unsupported
        case "unavailable": .unavailable
        case "not_found": .notFound
        default: .internal
        }
    }
}

package import ModelRuntime
package import Tensors
internal import Threads

/// Which headers of a request become parameters of its inference: those whose name matches a pattern from one end to
/// the other, whatever their case.
package final class HeaderForwarding: Sendable {
    private struct State {
        let pattern: Regex<AnyRegexOutput>
        /// Whether the pattern takes the names that were seen.
        var known: [String: Bool] = [:]
    }

    private let state: Locked<State>

    /// Names that were seen and are kept; clients may make up any number.
    private static let keptNames = 1000
    /// A longer name is nobody's, and matching it could take long.
    private static let longestName = 256

    /// Parameters that mean something to the server: a header is none of them.
    private static let reserved: Set<String> = [
        "sequence_id", "sequence_start", "sequence_end", "priority", "timeout", "headers", "binary_data_output",
    ]

    /// - Parameter pattern: a regular expression.
    /// - Throws: `invalidArgument` for one that can't be read.
    package init(pattern: String) throws(HalcyonError) {
        do {
            state = Locked(State(pattern: try Regex(pattern).ignoresCase()))
        } catch {
            throw HalcyonError(.invalidArgument, "the pattern '\(pattern)' is no regular expression: \(error)")
        }
    }

    /// The parameters in a request's headers, in their order; a header that comes several times is one, its values
    /// separated by commas.
    package func parameters(
        in headers: some Sequence<(name: String, value: String)>
    ) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for header in headers where takes(header.name) {
            if let index = parameters.firstIndex(where: { $0.name == header.name }) {
                parameters[index].value += ", " + header.value
            } else {
                parameters.append(header)
            }
        }
        return parameters
    }

    /// Adds the parameters in a request's headers to those that it has; its own come first.
    package func add(to request: inout InferenceRequest, from headers: some Sequence<(name: String, value: String)>) {
        for parameter in parameters(in: headers)
        where !request.parameters.contains(where: { $0.name == parameter.name }) {
            request.parameters.append(InferenceParameter(parameter.name, .string(parameter.value)))
        }
    }

    private func takes(_ name: String) -> Bool {
        let lowercased = name.lowercased()
        guard !Self.reserved.contains(lowercased), !lowercased.hasPrefix("triton_"), !name.hasPrefix(":"),
            name.utf8.count <= Self.longestName
        else { return false }
        return state.withLock { state in
            if let known = state.known[name] { return known }
            let isTaken = (try? state.pattern.wholeMatch(in: name)) != nil
            if state.known.count >= Self.keptNames { state.known.removeAll() }
            state.known[name] = isTaken
            return isTaken
        }
    }
}

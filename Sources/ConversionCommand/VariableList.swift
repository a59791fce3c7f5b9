/// The variables of a process as the C library keeps them.
package enum VariableList {
    /// - Parameter entries: `NAME=value` each, and `NULL` behind the last; `nil` for none.
    package static func read(
        _ entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> [String: String] {
        var variables: [String: String] = [:]
        var next = entries
        while let entry = next?.pointee {
            let halves = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2, !halves[0].isEmpty { variables[String(halves[0])] = String(halves[1]) }
            next = next?.advanced(by: 1)
        }
        return variables
    }
}

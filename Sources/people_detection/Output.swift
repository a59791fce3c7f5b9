/// What people read: standard output, or standard error where that belongs to the JSON.
struct Output: Sendable {
    let isJSON: Bool

    func say(_ line: String) {
        if isJSON { StandardError.write(line + "\n") } else { print(line) }
    }

    /// What is said only where no JSON is asked for, because the JSON says it too.
    func report(_ line: String) {
        if !isJSON { print(line) }
    }
}

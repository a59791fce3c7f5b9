internal import ArgumentParser

/// A flag's value that is one of several words, in small letters or capitals.
protocol WordFlag: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension WordFlag {
    init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}

extension HalcyonError {
    /// A kind of failure. These are Triton's; later versions may add more, so a `switch` over them has a `default`.
    public struct Code: Hashable, Sendable {
        private enum Kind: String, CaseIterable {
            case unknown = "Unknown"
            case `internal` = "Internal"
            case notFound = "Not found"
            case invalidArgument = "Invalid argument"
            case unavailable = "Unavailable"
            case unsupported = "Unsupported"
            case alreadyExists = "Already exists"
            case cancelled = "Cancelled"
        }

        private let kind: Kind

        /// Nothing more is known.
        public static var unknown: Code { Code(kind: .unknown) }
        /// Something that should not happen, in the server or in an engine.
        public static var `internal`: Code { Code(kind: .internal) }
        /// There is no model, version, file or region of that name.
        public static var notFound: Code { Code(kind: .notFound) }
        /// What was asked for can't be: the same request fails again.
        public static var invalidArgument: Code { Code(kind: .invalidArgument) }
        /// Not at the moment: a full queue, a timeout, a server that stops. The same request may succeed later.
        public static var unavailable: Code { Code(kind: .unavailable) }
        /// It is understood, and this version, engine or machine can't do it.
        public static var unsupported: Code { Code(kind: .unsupported) }
        /// Something of that name is there already.
        public static var alreadyExists: Code { Code(kind: .alreadyExists) }
        /// Whoever asked for it has taken it back.
        public static var cancelled: Code { Code(kind: .cancelled) }

        /// Those of this version.
        package static var all: [Code] { Kind.allCases.map(Code.init) }
    }
}

extension HalcyonError.Code: CustomStringConvertible {
    /// Its name as Triton writes it before a message, for instance `Invalid argument`.
    public var description: String { kind.rawValue }
}

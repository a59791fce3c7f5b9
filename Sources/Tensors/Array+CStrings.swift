private import Glibc

extension [String] {
    /// Calls with the texts as C takes a program's arguments: the last pointer is null. They are gone afterwards.
    package func withCStrings<Result>(
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        var copies: [UnsafeMutablePointer<CChar>?] = map { strdup($0) }
        copies.append(nil)
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeMutableBufferPointer { body($0.baseAddress) }
    }
}

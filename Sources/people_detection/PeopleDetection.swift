internal import ArgumentParser
private import Foundation
internal import Halcyon
internal import Tensors

/// Finds people in pictures by N concurrent requests to a server in this process, and shows what the server did.
@main
struct PeopleDetection {
    /// Exit status 2 for flags that are wrong, 1 for everything else that fails.
    static func main() async {
        InferenceServer.runWorkerIfAsked()
        let flags: Flags
        do {
            flags = try Flags.parse()
        } catch {
            let message = Flags.fullMessage(for: error)
            if Flags.exitCode(for: error) == .success {
                print(message)
                exit(0)
            }
            fail(message, status: 2)
        }
        do {
            try await Session(flags).run()
        } catch {
            fail("error: \((error as? HalcyonError)?.message ?? "\(error)")", status: 1)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        StandardError.write(message + "\n")
        exit(status)
    }
}

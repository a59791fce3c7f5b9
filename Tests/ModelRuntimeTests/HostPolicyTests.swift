import Foundation
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite("Host policies")
struct HostPolicyTests {
    /// The processors that the calling thread may use, as the system lists them.
    private static func allowed() throws -> Set<Int> {
        let status = try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
        let list = line.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)
        return try #require(HostPolicy.cores(list))
    }

    @Test(
        "Lists of processors",
        arguments: [
            ("0-3", [0, 1, 2, 3]), ("0", [0]), ("0-1,4", [0, 1, 4]), ("3-1", nil), ("a", nil), ("", nil), ("1-", nil),
            ("-1", nil), ("0-1-2", nil), ("0-99999999", nil),
        ] as [(String, [Int]?)])
    func lists(text: String, cores: [Int]?) { #expect(HostPolicy.cores(text) == cores.map(Set.init)) }

    @Test("What instances share is bound to what all of them are bound to")
    func common() {
        let first = HostPolicy(cores: [0], numaNode: 0)
        #expect(
            HostPolicy.common([first, HostPolicy(cores: [1], numaNode: 0)]) == HostPolicy(cores: [0, 1], numaNode: 0))
        #expect(HostPolicy.common([first, HostPolicy(cores: [1], numaNode: 1)]) == HostPolicy(cores: [0, 1]))
        #expect(HostPolicy.common([first, HostPolicy(numaNode: 0)]) == HostPolicy(numaNode: 0))
        #expect(HostPolicy.common([first, nil]) == nil)
        #expect(HostPolicy.common([]) == nil)
    }

    @Test("An instance's group names its policy, or has that of its kind")
    func names() throws {
        var configuration = ModelConfiguration(name: "m")
        var own = InstanceGroup(name: "own", kind: .cpu)
        own.hostPolicy = "quiet"
        configuration.instanceGroups = [own, InstanceGroup(name: "usual", kind: .cpu)]
        let policies = ["quiet": HostPolicy(cores: [1]), "cpu": HostPolicy(cores: [0])]
        let instances = try InstancePlan.instances(of: configuration, policies: policies)
        #expect(instances.map(\.hostPolicy?.cores) == [[1], [0]])
        #expect(try InstancePlan.instances(of: configuration).allSatisfy { $0.hostPolicy == nil })
    }

    @Test("Instances run on their processors, also where a caller could have run them")
    func binding() throws {
        let core = try #require(try Self.allowed().max())
        let seen = Collected<Set<Int>>()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), mayRunOnCallerThread: true) {
            seen.add(try Self.allowed())
            return try echo(&$0, $1)
        } adjust: {
            $0.instances[0].hostPolicy = HostPolicy(cores: [core])
        }
        let outcomes = Collected<Bool>()
        fixture.executor.submit(try ExecutorFixture.request(1), from: .blocking) {
            outcomes.add((try? $0.get()) != nil)
        }
        #expect(outcomes.wait(for: 1) == [true])
        #expect(seen.values == [[core]])
        fixture.stop()
        let before = try Self.allowed()
        #expect(try HostPolicy(cores: [core]).bound { try? Self.allowed() } == [core])
        #expect(try Self.allowed() == before, "the caller is bound to nothing")
    }

    @Test("What can't be kept to is an error that says what")
    func impossible() {
        let cores = #expect(throws: HalcyonError.self) { try HostPolicy(cores: [1_000_000]).bound {} }
        #expect(cores?.code == .invalidArgument && cores?.message.contains("processors 1000000") == true)
        let node = #expect(throws: HalcyonError.self) { try HostPolicy(numaNode: 1000).bound {} }
        #expect(node?.message.contains("NUMA node 1000") == true)
    }
}

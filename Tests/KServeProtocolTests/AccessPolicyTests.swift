import KServeProtocol
import Tensors
import Testing

@Suite("Access policy")
struct AccessPolicyTests {
    @Test("A restricted part needs its key, the others do not")
    func keys() throws {
        var policy = AccessPolicy()
        try policy.restrict("health,model-repository:Admin-Key=se=cret")
        let missing = policy.missingKey(for: .health, header: { _ in nil })
        #expect(missing?.header == "admin-key")
        #expect(policy.missingKey(for: .modelRepository, header: { _ in "se=cre" }) != nil)
        #expect(policy.missingKey(for: .modelRepository, header: { _ in "se=cret2" }) != nil)
        #expect(policy.missingKey(for: .health, header: { $0 == "admin-key" ? "se=cret" : nil }) == nil)
        #expect(policy.missingKey(for: .inference, header: { _ in nil }) == nil)
    }

    @Test("The prefix of gRPC's headers stands before the name")
    func prefix() throws {
        var policy = AccessPolicy()
        try policy.restrict("inference:key=v", headerPrefix: "triton-grpc-protocol-")
        #expect(policy.missingKey(for: .inference, header: { _ in nil })?.header == "triton-grpc-protocol-key")
    }

    @Test(
        "A setting that is none says why", arguments: ["", "health", "health:key", ":k=v", "nothing:k=v", "health:=v"])
    func faults(setting: String) {
        #expect(throws: HalcyonError.self) {
            var policy = AccessPolicy()
            try policy.restrict(setting)
        }
    }

    @Test("No part can be restricted twice")
    func twice() {
        #expect(throws: HalcyonError(.invalidArgument, "protocol 'health' is restricted twice")) {
            var policy = AccessPolicy()
            try policy.restrict("health:a=1")
            try policy.restrict("health:b=2")
        }
    }
}

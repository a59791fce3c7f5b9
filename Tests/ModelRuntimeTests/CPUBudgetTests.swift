import ModelRuntime
import Testing

@Suite("CPU budget")
struct CPUBudgetTests {
    @Test("Never more streams than cores, and two threads a stream where batches run")
    func plans() {
        let two = CPUBudget(cores: 2)
        #expect(two.plan(instances: 1, combinesRequests: false) == CPUPlan(instances: 1, streams: 1, threads: 2))
        #expect(two.plan(instances: 6, combinesRequests: false) == CPUPlan(instances: 6, streams: 2, threads: 2))
        #expect(two.plan(instances: 3, combinesRequests: true) == CPUPlan(instances: 3, streams: 1, threads: 2))
        let sixteen = CPUBudget(cores: 16)
        #expect(sixteen.plan(instances: 3, combinesRequests: true).threadsPerStream == 5)
        #expect(CPUBudget(cores: 0).plan(instances: 4, combinesRequests: true).streams == 1)
        #expect(
            two.plan(instances: 3, combinesRequests: false).description
                == "3 instances on 2 cores: 2 streams of 1 thread")
    }

    @Test(
        "A control group's quota is rounded up to whole cores, and none is none",
        arguments: [
            ("200000 100000", nil, nil, 2), ("150000 100000", nil, nil, 2), ("max 100000", nil, nil, nil),
            (nil, "50000", "100000", 1), (nil, "-1", "100000", nil), ("garbage", nil, nil, nil), (nil, nil, nil, nil),
            ("0 0", nil, nil, nil),
        ] as [(String?, String?, String?, Int?)])
    func quotas(version2: String?, version1: String?, period: String?, cores: Int?) {
        #expect(CPUBudget.quotaCores(version2: version2, version1: version1, version1Period: period) == cores)
    }

    @Test("This machine has at least one core")
    func detected() {
        #expect(CPUBudget.detected().cores >= 1)
    }
}

import ModelConfigurations
import Tensors
import Testing

@testable import ModelRuntime

struct GPUPlacementTests {
    private let two = GPUPlacement(numbers: [0, 1], engine: .ready)

    /// The instances of groups on a machine, or why there are none.
    private func instances(_ groups: [InstanceGroup], _ placement: GPUPlacement) -> Result<
        [InstanceIdentity], HalcyonError
    > {
        Result { () throws(HalcyonError) in
            var configuration = ModelConfiguration(name: "m")
            configuration.inputs = [TensorConfiguration(name: "IN", elementType: .fp32, dimensions: [1])]
            configuration.outputs = [TensorConfiguration(name: "OUT", elementType: .fp32, dimensions: [1])]
            configuration.instanceGroups = groups
            var options = ConfigurationCompletion.Options()
            options.placement = placement
            let complete = try ConfigurationCompletion.complete(configuration, signature: nil, options: options)
            return try InstancePlan.instances(of: complete, placement: placement)
        }
    }

    private func places(_ groups: [InstanceGroup], _ placement: GPUPlacement) throws -> [String] {
        try instances(groups, placement).get().map { "\($0.name) \($0.kind.rawValue) \($0.gpu.map { "\($0)" } ?? "-")" }
    }

    private func message(_ groups: [InstanceGroup], _ placement: GPUPlacement) -> String? {
        guard case .failure(let error) = instances(groups, placement) else { return nil }
        return error.message
    }

    @Test func `A group has its number of instances on each of its GPUs`() throws {
        #expect(
            try places([InstanceGroup(name: "g", kind: .gpu, count: 2, gpus: [1, 0])], two) == [
                "g_0 KIND_GPU 1", "g_0 KIND_GPU 0", "g_1 KIND_GPU 1", "g_1 KIND_GPU 0",
            ])
        #expect(try instances([InstanceGroup(kind: .gpu, gpus: [1])], two).get().map(\.index) == [0])
    }

    @Test func `A group that names no GPU is on all`() throws {
        #expect(try places([InstanceGroup(kind: .gpu)], two) == ["m_0_0 KIND_GPU 0", "m_0_0 KIND_GPU 1"])
    }

    @Test func `AUTO takes GPUs where the engine has what it takes`() throws {
        #expect(try places([], two) == ["m_0 KIND_GPU 0", "m_0 KIND_GPU 1"])
        #expect(try places([InstanceGroup(gpus: [1])], two) == ["m_0_0 KIND_GPU 1"])
        for engine in [GPUPlacement.Engine.never, .unequipped] {
            #expect(try places([], GPUPlacement(numbers: [0, 1], engine: engine)) == ["m_0 KIND_CPU -"])
        }
        #expect(try places([], .none) == ["m_0 KIND_CPU -"])
        #expect(try places([], GPUPlacement(numbers: [], engine: .ready)) == ["m_0 KIND_CPU -"])
    }

    @Test func `Groups on the processor and on GPUs stand side by side`() throws {
        let groups = [InstanceGroup(kind: .cpu, count: 2), InstanceGroup(kind: .gpu, gpus: [0])]
        #expect(
            try places(groups, two) == ["m_0_0 KIND_CPU -", "m_0_1 KIND_CPU -", "m_1_0 KIND_GPU 0"])
    }

    @Test func `AUTO with a GPU that is not there comes to the processor, as in Triton, and is refused`() {
        #expect(
            message([InstanceGroup(name: "g", gpus: [0, 7])], two)
                == "instance group g of model m has kind KIND_CPU but specifies one or more GPUs; leave out gpus, or "
                + "name GPUs that this server has: 0, 1")
    }

    @Test func `A GPU that is not there is refused with those there are`() {
        #expect(
            message([InstanceGroup(name: "g", kind: .gpu, gpus: [0, 7])], two)
                == "instance group g of model m specifies invalid or unsupported gpu id 7. GPUs with at least the "
                + "minimum required CUDA compute compatibility of 6.0 are: 0, 1")
        #expect(
            message([InstanceGroup(name: "g", kind: .gpu, gpus: [1, 1])], two)
                == "instance group g of model m specifies gpu id 1 more than once")
    }

    @Test func `An engine that runs on the processor only is said to`() {
        #expect(
            message([InstanceGroup(name: "g", kind: .gpu)], GPUPlacement(numbers: [0], engine: .never))
                == "instance group g of model m has kind KIND_GPU but its backend runs models on the processor only; "
                + "write KIND_CPU, or KIND_AUTO for whatever there is")
        // What is missing there is said by who knows what brings it.
        #expect(message([InstanceGroup(name: "g", kind: .gpu)], GPUPlacement(numbers: [0], engine: .unequipped)) == nil)
    }

    @Test func `There may be so many instances over all GPUs and not one more`() {
        let half = InstancePlan.maximumCount / 2
        #expect(message([InstanceGroup(kind: .gpu, count: half)], two) == nil)
        #expect(message([InstanceGroup(kind: .gpu, count: half + 1)], two)?.contains("have more than") == true)
    }

    // MARK: Times

    @Test(arguments: [
        // Whole: what comes before the input's copy counts to the input.
        (DeviceTimes(input: 100, infer: 500, output: 50), 1450, 1950),
        // A device's clock that runs faster than ours: no stage becomes negative.
        (DeviceTimes(input: 100, infer: 5000, output: 50), 1000, 1950),
        (DeviceTimes(input: 0, infer: 10, output: 5000), 1000, 1000),
    ])
    func `A device's times are counted back from the end`(times: DeviceTimes, start: UInt64, end: UInt64) {
        let marks = times.marks(from: 1000, to: 2000)
        #expect(marks.inferenceStart == start && marks.inferenceEnd == end)
    }
}

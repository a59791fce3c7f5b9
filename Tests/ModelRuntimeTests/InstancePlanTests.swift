import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

struct InstancePlanTests {
    private func configuration(_ groups: [InstanceGroup]) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "peoplenet")
        configuration.instanceGroups = groups
        return configuration
    }

    private func message(_ groups: [InstanceGroup]) -> String? {
        do throws(HalcyonError) {
            _ = try InstancePlan.instances(of: configuration(groups))
            return nil
        } catch {
            #expect(error.code == .invalidArgument)
            return error.message
        }
    }

    @Test func `Instances are named by group and number and counted through`() throws {
        let instances = try InstancePlan.instances(
            of: configuration([
                InstanceGroup(name: "peoplenet_0", kind: .cpu, count: 2), InstanceGroup(name: "big", kind: .model),
                InstanceGroup(name: "peoplenet_2", kind: .cpu),
            ]))
        #expect(
            instances == [
                InstanceIdentity(name: "peoplenet_0_0", kind: .cpu, index: 0),
                InstanceIdentity(name: "peoplenet_0_1", kind: .cpu, index: 1),
                InstanceIdentity(name: "big_0", kind: .model, index: 2, group: 1),
                InstanceIdentity(name: "peoplenet_2_0", kind: .cpu, index: 3, group: 2),
            ])
    }

    @Test func `The default group has one instance`() throws {
        var open = ModelConfiguration(name: "peoplenet")
        open.inputs = [TensorConfiguration(name: "IN", elementType: .fp32, dimensions: [1])]
        open.outputs = [TensorConfiguration(name: "OUT", elementType: .fp32, dimensions: [1])]
        let instances = try InstancePlan.instances(of: ConfigurationCompletion.complete(open, signature: nil))
        #expect(instances == [InstanceIdentity(name: "peoplenet_0", kind: .cpu, index: 0)])
    }

    @Test func `Every group that wants a GPU is told`() {
        let gpu =
            "has kind KIND_GPU but server does not support GPUs; write KIND_CPU, or KIND_AUTO for whatever there is"
        #expect(
            message([
                InstanceGroup(name: "a", kind: .gpu, gpus: [0]), InstanceGroup(name: "b", kind: .cpu),
                InstanceGroup(name: "c", kind: .auto, gpus: [0, 1]), InstanceGroup(name: "d", kind: .model, gpus: [1]),
            ])
                == """
                instance group a of model peoplenet \(gpu)
                instance group c of model peoplenet has kind KIND_CPU but specifies one or more GPUs; leave out gpus, \
                as this server has none
                instance group d of model peoplenet has kind KIND_MODEL but specifies one or more GPUs; leave out \
                gpus, as this server has none
                """)
    }

    @Test func `There may be so many instances and not one more`() throws {
        let most = InstancePlan.maximumCount
        let fits = [InstanceGroup(name: "a", kind: .cpu, count: most - 1), InstanceGroup(name: "b", kind: .cpu)]
        #expect(try InstancePlan.instances(of: configuration(fits)).count == most)
        let complaint = "the instance groups of model peoplenet have more than \(most) instances"
        #expect(message(fits + [InstanceGroup(name: "c", kind: .cpu)]) == complaint)
        #expect(message([InstanceGroup(name: "a", kind: .cpu, count: .max)]) == complaint)
        #expect(message(Array(repeating: InstanceGroup(name: "a", kind: .cpu, count: .max), count: 3)) == complaint)
    }

    @Test func `Two instances of one name are an error`() {
        #expect(
            message([InstanceGroup(name: "a", kind: .cpu), InstanceGroup(name: "a", kind: .cpu)])
                == "two instances of model peoplenet are named 'a_0'; give the instance group a another name")
    }
}

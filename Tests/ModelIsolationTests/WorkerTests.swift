import CPlatform
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import ModelIsolation

@Suite("Models in workers that behave, and that go")
struct WorkerTests {
    private static let echo = ScriptedBackend(script: ScriptedBackend.echo())

    @Test("A worker answers small batches and large ones, again and again")
    func echoes() throws {
        let launcher = ThreadLauncher(backends: [Self.echo])
        let model = try Fixture.model(launcher, wrapping: Self.echo)
        let instance = try model.makeInstance(Fixture.identity)
        for count in [1, 10, 5_000, 20_000, 5_000, 1, 40_000] {
            let values = (0..<count).map { Float($0) }
            #expect(try Fixture.run(instance, values) == values)
        }
        #expect(launcher.launched.withLock { $0.count } == 1)
        #expect(model.complaint == nil)
    }

    @Test("Outputs that somebody holds stay as they are while others come")
    func heldOutputs() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        let instance = try model.makeInstance(Fixture.identity)
        var held: [Tensor] = []
        for round in 0..<40 {
            var batch = Fixture.batch([try Fixture.input([Float](repeating: Float(round), count: 4_000))])
            held += try instance.execute(&batch)
        }
        for (round, output) in held.enumerated() {
            #expect(try output.elements(as: Float.self).allSatisfy { $0 == Float(round) })
        }
        held = []
        #expect(try Fixture.run(instance, [Float](repeating: 1, count: 4_000)).count == 4_000)
    }

    @Test("Inputs that were gathered where the worker reads them are not copied once more")
    func gatheredInputs() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        let instance = try model.makeInstance(Fixture.identity)
        let memory = try #require(model.batchMemory as? InputMemory)
        let storage = try memory.storage(byteCount: 8_192, in: .pinned)
        storage.baseAddress.initializeMemory(as: UInt8.self, repeating: 0, count: 8_192)
        let data = try TensorBuffer(storage).slice(offset: 0, byteCount: 8_192)
        var batch = Fixture.batch([try Tensor(name: "IN", elementType: .fp32, shape: [1, 2_048], data: data)])
        let before = memory.count
        #expect(try instance.execute(&batch).first?.data.byteCount == 8_192)
        #expect(memory.count == before)
    }

    @Test("Memory for a request's inputs is the worker's too, also behind another owner, and is used again")
    func requestMemory() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        let instance = try model.makeInstance(Fixture.identity)
        let memory = try #require(model.batchMemory as? InputMemory)
        var counts: [Int] = []
        for round in 0..<3 {
            let storage = try #require(model.batchMemory.inputStorage(byteCount: 16_384))
            let owner = TensorStorage(owning: storage.baseAddress, byteCount: storage.byteCount) { _ in
                withExtendedLifetime(storage) {}
            }
            let values = [Float](repeating: Float(round), count: 2_048)
            values.withUnsafeBytes { (owner.baseAddress + 64).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            let data = try TensorBuffer(owner).slice(offset: 64, byteCount: 8_192)
            var batch = Fixture.batch([try Tensor(name: "IN", elementType: .fp32, shape: [1, 2_048], data: data)])
            #expect(try instance.execute(&batch).first?.elements(as: Float.self) == values)
            counts.append(memory.count)
        }
        #expect(counts == [1, 1, 1])
        let held = model.batchMemory.inputStorage(byteCount: 16_384)
        #expect(held != nil && model.batchMemory.inputStorage(byteCount: 16_384) !== held)
    }

    @Test("What the engine says of a batch is what the caller hears, and the worker goes on")
    func engineErrors() throws {
        let backend = ScriptedBackend { batch, _ in
            if batch.inputs[0].data.byteCount == 4 { throw HalcyonError(.invalidArgument, "too short") }
            return try ScriptedBackend.echo()(&batch, Fixture.identity)
        }
        let launcher = ThreadLauncher(backends: [backend])
        let instance = try Fixture.model(launcher, wrapping: backend).makeInstance(Fixture.identity)
        #expect(Fixture.error { _ = try Fixture.run(instance, [1]) } == HalcyonError(.invalidArgument, "too short"))
        #expect(try Fixture.run(instance, [1, 2]) == [1, 2])
        #expect(launcher.launched.withLock { $0.count } == 1)
    }

    @Test("A worker that goes fails the batch that it had, and the next one goes to the next worker, which is warm")
    func loss() throws {
        let deadly: Float = 666
        let warmUps = Locked(0)
        let launched = Locked<ThreadLauncher?>(nil)
        let backend = ScriptedBackend { batch, identity in
            if batch.isWarmUp { warmUps.withLock { $0 += 1 } }
            let first: [Float] = try batch.inputs[0].elements()
            if first.first == deadly {
                let process = launched.withLock { $0?.launched.withLock { $0.last } }
                process?.kill()
                _ = process?.wait()
                throw HalcyonError(.internal, "gone")
            }
            return try ScriptedBackend.echo()(&batch, identity)
        }
        let launcher = ThreadLauncher(backends: [backend])
        launched.withLock { $0 = launcher }
        let model = try Fixture.model(launcher, wrapping: backend)
        let instance = try model.makeInstance(Fixture.identity)
        #expect(try Fixture.run(instance, [1], warmUp: true) == [1])
        #expect(try Fixture.run(instance, [2]) == [2])
        let process = try #require(launcher.launched.withLock { $0.last })
        // Idle, it is replaced without anybody's notice.
        process.kill()
        _ = process.wait()
        #expect(try Fixture.run(instance, [3]) == [3])
        #expect(launcher.launched.withLock { $0.count } == 2)
        #expect(warmUps.withLock { $0 } == 2)
        let error = try #require(Fixture.error { _ = try Fixture.run(instance, [deadly]) })
        #expect(error.code == .unavailable)
        #expect(
            error.message.contains(
                "its worker process was ended by signal 9 (SIGKILL) while instance 'm_0' executed a batch of 1"))
        #expect((instance as? any WorkerInstanceLoss)?.hasLostWorker == true)
        #expect(try Fixture.run(instance, [4]) == [4])
        #expect(model.restarts["signal"] == 2)
    }

    @Test("A worker that overruns its time is ended, and its batch told so")
    func overrun() throws {
        let gate = Gate()
        let backend = ScriptedBackend { batch, identity in
            let first: [Float] = try batch.inputs[0].elements()
            if first.first == 1 { gate.pass() }
            return try ScriptedBackend.echo()(&batch, identity)
        }
        let model = try Fixture.model(ThreadLauncher(backends: [backend]), wrapping: backend) {
            $0.executionLimit = 20_000_000
        }
        let instance = try model.makeInstance(Fixture.identity)
        let error = try #require(Fixture.error { _ = try Fixture.run(instance, [1]) })
        #expect(error.code == .unavailable)
        #expect(error.message.contains("had not answered for 20 ms while instance 'm_0' executed a batch of 1"))
        #expect((instance as? any WorkerInstanceLoss)?.hasLostWorker == true)
        #expect(model.restarts["timeout"] == 1)
        gate.open()
        #expect(try Fixture.run(instance, [2]) == [2])
    }

    @Test("Whether a model has to be prepared again for another share of the processor is for its backend to say")
    func judgedPlans() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        // This one never has to.
        #expect(model.isPrepared(for: CPUPlan(instances: 3, streams: 3, threads: 1)))
    }

    @Test("Each instance has a worker of its own where that is asked for")
    func perInstance() throws {
        let launcher = ThreadLauncher(backends: [Self.echo])
        let model = try Fixture.model(launcher, wrapping: Self.echo) { $0.isPerInstance = true }
        var instances: [any ModelInstance] = []
        for index in 0..<3 {
            instances.append(
                try model.makeInstance(InstanceIdentity(name: "m_\(index)", kind: .cpu, index: index)))
        }
        #expect(launcher.launched.withLock { $0.count } == 3)
        for instance in instances { #expect(try Fixture.run(instance, [5]) == [5]) }
        let last = try #require(launcher.launched.withLock { $0.last })
        instances.removeLast()
        // It goes with its instance.
        _ = last.wait()
        #expect(try Fixture.run(instances[0], [6]) == [6])
    }

    @Test("A model that the worker can't open fails to load with the engine's words")
    func openFailure() throws {
        let backend = ScriptedBackend(script: ScriptedBackend.echo())
        let error = try #require(
            Fixture.error { _ = try Fixture.model(ThreadLauncher(backends: []), wrapping: backend) })
        #expect(error.code == .unsupported)
        #expect(error.message.contains("the worker process has no backend 'scripted'"))
    }

    /// Hangs while it opens a model.
    private struct HangingBackend: Backend {
        let name = "scripted"
        let modelFilenames: [String] = []
        let gate: Gate

        func openModel(_ source: ModelSource) throws -> any BackendModel {
            gate.pass()
            throw HalcyonError(.internal, "it hung")
        }
    }

    @Test("A load that nobody waits for any more ends the worker in which it hangs")
    func abandonedLoad() async throws {
        let gate = Gate()
        let backend = HangingBackend(gate: gate)
        let launcher = ThreadLauncher(backends: [backend])
        let abandonment = LoadAbandonment()
        async let load = offPool {
            Fixture.error { _ = try Fixture.model(launcher, wrapping: backend, abandonment: abandonment) }
        }
        await gate.waitForArrivals(1)
        abandonment.giveUp()
        let error = try #require(await load)
        #expect(error.code == .unavailable)
        #expect(error.message.hasPrefix("model 'm': its worker process "), "\(error)")
        // None is started in its place, and one that comes later ends at once.
        #expect(launcher.launched.withLock { $0.count } == 1)
        #expect(Fixture.error { _ = try Fixture.model(launcher, wrapping: backend, abandonment: abandonment) } != nil)
        gate.open()
    }

    @Test("A request that has ended two workers is refused")
    func refusal() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        let inputs = [try Fixture.input([1, 2])]
        model.endedWorker(inputs)
        #expect(model.refusal(of: inputs) == nil)
        model.endedWorker(inputs)
        #expect(model.refusal(of: inputs)?.code == .invalidArgument)
        #expect(model.refusal(of: [try Fixture.input([1, 3])]) == nil)
    }

    @Test("A caller that blocks hands its request to the worker itself; one that others wait for does not")
    func blockingCallers() throws {
        let model = try Fixture.model(ThreadLauncher(backends: [Self.echo]), wrapping: Self.echo)
        #expect(model.mayRunOnBlockingCallerThread)
        #expect(!model.mayRunOnCallerThread)
        let fixture = try ExecutorFixture(Fixture.configuration(), adjust: { $0.model = model })
        defer { fixture.stop() }
        let outcomes = Collected<Bool>()
        // It has been answered when this returns.
        fixture.executor.submit(try ExecutorFixture.request(3), from: .blocking) { outcome in
            outcomes.add((try? outcome.get().output("OUT").elements(as: Float.self)) == [3, 3, 3, 3])
        }
        #expect(outcomes.values == [true])
    }

    @Test("A worker that gets no memory ends, and says nothing that would look like its model's answer")
    func starvation() throws {
        let isStarved = Locked(false)
        let backend = ScriptedBackend { batch, identity in
            if isStarved.withLock({ $0 }) { throw HalcyonError(.internal, "std::bad_alloc") }
            return try ScriptedBackend.echo()(&batch, identity)
        }
        let asked = Collected<Int>()
        let launcher = ThreadLauncher { channel in
            let watch = MemoryWatch(
                isLacking: { bytes in
                    asked.add(bytes)
                    return isStarved.withLock { $0 }
                }, end: { channel.shut() })
            WorkerService(control: channel, backends: { _ in ["scripted": backend] }, watch: watch).run()
        }
        let model = try Fixture.model(launcher, wrapping: backend)
        let instance = try model.makeInstance(Fixture.identity)
        #expect(try Fixture.run(instance, [1]) == [1])
        #expect(asked.values.isEmpty)
        isStarved.withLock { $0 = true }
        let error = try #require(Fixture.error { _ = try Fixture.run(instance, [1]) })
        #expect(error.code == .unavailable)
        #expect(error.message.contains("its worker process was ended"), "\(error)")
        #expect(asked.values == [MemoryWatch.leastAfterFailure])
        isStarved.withLock { $0 = false }
        #expect(try Fixture.run(instance, [2]) == [2])
        #expect(launcher.launched.withLock { $0.count } == 2)
    }

    @Test("What an engine refuses for other reasons ends no worker that has memory")
    func refusals() throws {
        let asked = Collected<Int>()
        let watch = MemoryWatch(
            isLacking: { bytes in
                asked.add(bytes)
                return false
            }, end: { Issue.record("it has memory") })
        #expect(!watch.ends(after: HalcyonError(.invalidArgument, "too short")))
        #expect(!watch.ends(after: HalcyonError(.internal, "Failed to allocate memory for requested buffer")))
        #expect(asked.values == [MemoryWatch.least, MemoryWatch.leastAfterFailure])
        #expect(!halcyon_memory_is_lacking(4096))
        #expect(halcyon_memory_is_lacking(1 << 50))
    }

    @Test("Which limit a worker came to is said with its size")
    func bounds() {
        #expect(
            WorkerEnding.starved(.addressSpace(bytes: 64 << 20)).words
                == "ended itself, as it got no more memory: its address space is limited to 64 MiB (RLIMIT_AS)")
        #expect(
            WorkerEnding.starved(.data(bytes: 64 << 20)).words
                == "ended itself, as it got no more memory: its data are limited to 64 MiB (RLIMIT_DATA)")
        #expect(
            WorkerEnding.starved(nil).words
                == "ended itself, as it got no more memory: the system is short of it")
        #expect(WorkerEnding.starved(nil).label == "memory")
        #expect(MemoryBound(ofProcess: -1) == nil)
    }
}

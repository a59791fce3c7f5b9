private import CPlatform
private import Glibc
package import Tensors
internal import Threads

/// Where the threads of instances run, and where their memory comes from: Triton's host policy (`--host-policy`).
///
/// An instance group names one by `host_policy`; one that names none has the policy of its kind, `cpu`, `model`, or
/// `gpu_0` for the GPU 0, where there is one of that name.
public struct HostPolicy: Hashable, Sendable {
    /// Processors by the system's numbers; empty for all that the process may use.
    public var cores: Set<Int>
    /// The NUMA node that memory is taken from; `nil` for whichever the system chooses.
    public var numaNode: Int?

    /// A policy that binds nothing, unless the arguments say otherwise.
    public init(cores: Set<Int> = [], numaNode: Int? = nil) {
        self.cores = cores
        self.numaNode = numaNode
    }

    /// Reads a list of processors, `0-3` or `0-1,4` for instance.
    ///
    /// - Returns: `nil` for what is no such list.
    package static func cores(_ text: String) -> Set<Int>? {
        var cores: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
                first <= last, last < 1 << 20
            else { return nil }
            cores.formUnion(first...last)
        }
        return cores
    }

    /// Takes over a setting by its name on the command line.
    ///
    /// - Throws: `invalidArgument` for a setting that does not exist, or a value that is none.
    package mutating func set(_ setting: String, _ value: String) throws(HalcyonError) {
        switch setting {
        case "cpu-cores":
            guard let cores = Self.cores(value) else {
                throw HalcyonError(
                    .invalidArgument, "cpu-cores takes numbers and ranges, as in 0-3,6, got '\(value)'")
            }
            self.cores = cores
        case "numa-node":
            guard let node = Int(value), (0..<1024).contains(node) else {
                throw HalcyonError(.invalidArgument, "numa-node takes a number from 0, got '\(value)'")
            }
            numaNode = node
        default:
            throw HalcyonError(
                .invalidArgument, "there is no setting '\(setting)', only cpu-cores and numa-node")
        }
    }

    /// Whether it changes anything.
    package var isBinding: Bool { !cores.isEmpty || numaNode != nil }

    /// What holds for threads that several instances share; binds only what all of them bind.
    package static func common(_ policies: [HostPolicy?]) -> HostPolicy? {
        guard !policies.isEmpty, policies.allSatisfy({ $0?.isBinding == true }) else { return nil }
        let known = policies.compactMap(\.self)
        let nodes = Set(known.map(\.numaNode))
        let bindsCores = known.allSatisfy { !$0.cores.isEmpty }
        let common = HostPolicy(
            cores: bindsCores ? known.reduce(into: []) { $0.formUnion($1.cores) } : [],
            numaNode: nodes.count == 1 ? nodes.first ?? nil : nil)
        return common.isBinding ? common : nil
    }

    /// Binds the calling thread, and those that it starts from now on.
    ///
    /// - Throws: `invalidArgument` for processors that the process may not use, or a node that is not there.
    package func apply() throws(HalcyonError) {
        if !cores.isEmpty {
            let list = cores.sorted().map(Int32.init)
            let failure = halcyon_bind_thread(list, list.count)
            guard failure == 0 else {
                throw HalcyonError(
                    .invalidArgument,
                    "threads can't be bound to the processors "
                        + "\(cores.sorted().map(String.init).joined(separator: ", ")): "
                        + String(cString: strerror(failure)))
            }
        }
        if let numaNode {
            let failure = halcyon_bind_memory(Int32(clamping: numaNode))
            guard failure == 0 else {
                throw HalcyonError(
                    .invalidArgument,
                    "memory can't be taken from NUMA node \(numaNode): \(String(cString: strerror(failure)))")
            }
        }
    }

    /// Calls `body` on a thread of its own that is bound, and waits for it: what it starts is bound as well.
    ///
    /// - Throws: what binding and `body` throw.
    package func bound<Result: Sendable>(
        _ body: @escaping @Sendable () throws(HalcyonError) -> Result
    ) throws(HalcyonError) -> Result {
        let outcome = Locked<Swift.Result<Result, HalcyonError>?>(nil)
        try WorkerThread(name: "bound") {
            let result = Swift.Result { () throws(HalcyonError) in
                try apply()
                return try body()
            }
            outcome.withLock { $0 = result }
        }.join()
        guard let result = outcome.withLock({ $0 }) else {
            throw HalcyonError(.internal, "a thread ended without what it was started for")
        }
        return try result.get()
    }
}

extension HostPolicy: CustomStringConvertible {
    /// What it binds, for the log; `none` for nothing.
    public var description: String {
        let parts =
            (cores.isEmpty ? [] : ["cores \(cores.sorted().map(String.init).joined(separator: ","))"])
            + (numaNode.map { ["NUMA node \($0)"] } ?? [])
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}

extension WorkerThread {
    /// Starts a thread that runs where the policy says. It must be joined or detached.
    ///
    /// A policy that can't be kept to is found when the server starts, not here.
    ///
    /// - Throws: `internal` where the system refuses another thread.
    convenience init(
        name: String, policy: HostPolicy?, _ run: @escaping @Sendable () -> Void
    ) throws(HalcyonError) {
        try self.init(name: name) {
            try? policy?.apply()
            run()
        }
    }
}

internal import Halcyon
internal import Tensors

extension ModelFlags {
    /// The host policies, by name.
    ///
    /// - Throws: `invalidArgument` for a setting that does not exist, or a value that is none.
    func hostPolicies() throws(HalcyonError) -> [String: HostPolicy] {
        var policies: [String: HostPolicy] = [:]
        for text in hostPolicySettings {
            let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            let setting = parts.count == 2 ? parts[1].split(separator: "=", maxSplits: 1).map(String.init) : []
            guard let name = parts.first, !name.isEmpty, setting.count == 2 else {
                throw HalcyonError(
                    .invalidArgument, "--host-policy takes POLICY,SETTING=VALUE, got '\(text)'")
            }
            switch setting[0] {
            case "cpu-cores":
                guard let cores = HostPolicy.cores(setting[1]) else {
                    throw HalcyonError(
                        .invalidArgument, "--host-policy '\(text)': cpu-cores takes numbers and ranges, as in 0-3,6")
                }
                policies[String(name), default: HostPolicy()].cores = cores
            case "numa-node":
                guard let node = Int(setting[1]), (0..<1024).contains(node) else {
                    throw HalcyonError(.invalidArgument, "--host-policy '\(text)': numa-node takes a number from 0")
                }
                policies[String(name), default: HostPolicy()].numaNode = node
            default:
                throw HalcyonError(
                    .invalidArgument,
                    "--host-policy '\(text)': there is no setting '\(setting[0])', only cpu-cores and numa-node")
            }
        }
        return policies
    }
}

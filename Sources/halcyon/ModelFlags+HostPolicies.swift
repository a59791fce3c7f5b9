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
            do throws(HalcyonError) {
                try policies[String(name), default: HostPolicy()].set(setting[0], setting[1])
            } catch {
                throw error.prefixed("--host-policy '\(text)': ")
            }
        }
        return policies
    }
}

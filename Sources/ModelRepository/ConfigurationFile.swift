internal import ModelConfigurations
package import Tensors

/// A configuration that lies anywhere.
package enum ConfigurationFile {
    /// - Throws: an error that names the path, for what can't be read or is too large to be one.
    package static func read(_ path: String) throws(HalcyonError) -> [UInt8] {
        try FileSystem.read(path, most: ConfigurationReader.maximumByteCount)
    }
}

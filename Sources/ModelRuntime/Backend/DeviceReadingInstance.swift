package import Tensors

/// An instance that reads its inputs in a device's memory: what is gathered for it may be gathered there.
package protocol DeviceReadingInstance: ModelInstance {
    var deviceMemory: any DeviceMemory { get }
}

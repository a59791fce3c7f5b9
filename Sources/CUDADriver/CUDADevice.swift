internal import CCUDADriver
internal import Tensors

/// A GPU as the driver describes it.
package struct CUDADevice: Hashable, Sendable {
    /// Its number, from 0, as in `gpus: [ 0 ]`.
    package var number: Int
    package var name: String
    /// `GPU-` and 32 hexadecimal digits in groups, as the management library and its tools write it.
    package var uuid: String
    package var totalBytes: Int
    /// 8.6 for instance.
    package var computeCapability: Double
    /// The driver's own name for it.
    let handle: Int32

    private static let majorAttribute: Int32 = 75
    private static let minorAttribute: Int32 = 76

    init(_ number: Int, _ functions: cuda_functions_t) throws(HalcyonError) {
        let attempt = "the NVIDIA driver does not describe GPU \(number)"
        func check(_ result: cuda_result_t) throws(HalcyonError) {
            try NVIDIADriver.check(result, functions, attempt)
        }
        var handle: Int32 = 0
        try check(functions.cuDeviceGet(&handle, Int32(clamping: number)))
        var text = [CChar](repeating: 0, count: 256)
        try check(functions.cuDeviceGetName(&text, Int32(text.count), handle))
        var identity = cuda_uuid_t()
        try check(functions.cuDeviceGetUuid(&identity, handle))
        var bytes = 0
        try check(functions.cuDeviceTotalMem_v2(&bytes, handle))
        var (major, minor): (Int32, Int32) = (0, 0)
        try check(functions.cuDeviceGetAttribute(&major, Self.majorAttribute, handle))
        try check(functions.cuDeviceGetAttribute(&minor, Self.minorAttribute, handle))
        self.number = number
        self.handle = handle
        name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        uuid = withUnsafeBytes(of: identity) { Self.text($0) }
        totalBytes = bytes
        computeCapability = Double(major) + Double(minor) / 10
    }

    private static func text(_ uuid: UnsafeRawBufferPointer) -> String {
        var text = "GPU-"
        for (index, byte) in uuid.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}

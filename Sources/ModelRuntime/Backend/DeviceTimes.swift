/// How long the stages of an execution took on a device, by the device's own clock, in nanoseconds.
package struct DeviceTimes: Hashable, Sendable {
    /// From the first input's copy to the last's.
    package var input: UInt64
    /// From then to the last result.
    package var infer: UInt64
    /// From then to the end of the last output's copy.
    package var output: UInt64

    package init(input: UInt64, infer: UInt64, output: UInt64) {
        self.input = input
        self.infer = infer
        self.output = output
    }

    /// The marks on the processor's clock of an execution that went from `start` to `end` there.
    ///
    /// The device was done at the end, so its stages are counted back from there. What lies before them, the way to the
    /// device, belongs to the input.
    func marks(from start: UInt64, to end: UInt64) -> (inferenceStart: UInt64, inferenceEnd: UInt64) {
        let total = end >= start ? end - start : 0
        let output = min(output, total)
        let infer = min(infer, total - output)
        return (end - output - infer, end - output)
    }
}

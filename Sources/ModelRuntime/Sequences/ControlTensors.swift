internal import ModelConfigurations
internal import Scheduling
internal import Tensors

/// The inputs by which a model is told where each row of a batch stands in its sequence.
struct ControlTensors: Sendable {
    let controls: [SequenceBatching.Control]
    let hasBatchDimension: Bool

    /// Asked before a request is taken in, as one that can't be said to the model must not be in a batch with others.
    ///
    /// - Throws: `invalidArgument` for a correlation id that the model's type can't hold.
    func check(_ id: CorrelationID) throws(HalcyonError) {
        var bytes: [UInt8] = []
        for control in controls where control.kind == .correlationID { try append(id, control, to: &bytes) }
    }

    /// - Throws: as ``check(_:)``.
    func tensors(_ rows: [SequenceControl]) throws(HalcyonError) -> [Tensor] {
        var tensors: [Tensor] = []
        for control in controls {
            var bytes: [UInt8] = []
            for row in rows { try append(row, control, to: &bytes) }
            tensors.append(
                try Tensor(
                    name: control.inputName, elementType: control.elementType,
                    shape: hasBatchDimension ? [rows.count, 1] : [1], data: TensorBuffer(copying: bytes)))
        }
        return tensors
    }

    private func append(
        _ row: SequenceControl, _ control: SequenceBatching.Control, to bytes: inout [UInt8]
    ) throws(HalcyonError) {
        let flag: Bool
        switch control.kind {
        case .start: flag = row.start
        case .end: flag = row.end
        case .ready: flag = row.ready
        case .correlationID: return try append(row.correlation, control, to: &bytes)
        }
        let value = control.falseTrue[flag ? 1 : 0]
        switch control.elementType {
        case .bool: bytes.append(value != 0 ? 1 : 0)
        case .int32: append(Int32(clamping: Int64(value)), to: &bytes)
        default: append(value, to: &bytes)
        }
    }

    private func append(
        _ id: CorrelationID, _ control: SequenceBatching.Control, to bytes: inout [UInt8]
    ) throws(HalcyonError) {
        switch (id, control.elementType) {
        // Signed types get the same bits: each id stays another one.
        case (.number(let number), .uint64), (.number(let number), .int64): append(number, to: &bytes)
        case (.number(let number), .uint32) where number <= UInt32.max,
            (.number(let number), .int32) where number <= UInt32.max:
            append(UInt32(truncatingIfNeeded: number), to: &bytes)
        case (.number, .uint32), (.number, .int32):
            throw HalcyonError(
                .invalidArgument,
                "sequence id '\(id)' can't be handed to input '\(control.inputName)', which is "
                    + "\(control.elementType.rawValue) and takes ids up to \(UInt32.max)")
        case (.number(0), .bytes): append(UInt32(0), to: &bytes)
        case (.text(let text), .bytes):
            append(UInt32(clamping: text.utf8.count), to: &bytes)
            bytes += text.utf8
        default:
            throw HalcyonError(
                .invalidArgument,
                "sequence id '\(id)' can't be handed to input '\(control.inputName)', which is "
                    + control.elementType.rawValue)
        }
    }

    private func append<Element: BitwiseCopyable>(_ value: Element, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}

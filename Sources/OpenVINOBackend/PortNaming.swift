internal import ModelConfigurations
internal import Tensors

/// Which of its names each input and output of a model goes by.
///
/// The engine gives one name of a port, and not always the one that its users know; but it can say whether a port has
/// a certain name. So the configuration's names come first, then those that the file's format declares, and then the
/// engine's.
struct PortNaming {
    let source: PortTable
    let format: ModelFormat
    /// Names that the file declares, without TensorFlow's `:0`.
    let declaredNames: [String]

    /// The ports of one direction under their names.
    ///
    /// - Throws: `unsupported` for an element type that there is no counterpart of.
    func ports(
        _ direction: Port.Direction, configured: [TensorConfiguration]
    ) throws(HalcyonError) -> [Port] {
        let raw = try source.ports(direction)
        let names = names(of: raw, direction, preferred: configured.map(\.name) + declaredNames)
        var ports: [Port] = []
        for (port, name) in zip(raw, names) {
            guard let elementType = ElementType(openVINONumber: port.elementType) else {
                throw HalcyonError(
                    .unsupported,
                    "\(direction.rawValue) '\(name)' has the element type "
                        + "\(ElementType.openVINOName(port.elementType)), which the openvino backend does not take")
            }
            ports.append(Port(name: name, elementType: elementType, dimensions: port.dimensions))
        }
        return ports
    }

    private func names(
        of raw: [RawPort], _ direction: Port.Direction, preferred: [String]
    ) -> [String] {
        var names = [String?](repeating: nil, count: raw.count)
        for name in preferred {
            // TensorFlow's ports are `<node>:<number>`; users and Triton leave out `:0`.
            let index =
                source.index(of: name, direction, in: raw)
                ?? (format.isTensorFlow ? source.index(of: name + ":0", direction, in: raw) : nil)
            if let index, names[index] == nil { names[index] = name }
        }
        for (index, port) in raw.enumerated() where names[index] == nil {
            let own = port.anyName ?? "\(direction.rawValue)_\(index)"
            let short = format.isTensorFlow && own.hasSuffix(":0") ? String(own.dropLast(2)) : own
            names[index] = names.contains(short) ? own : short
        }
        return names.enumerated().map { $1 ?? "\(direction.rawValue)_\($0)" }
    }
}

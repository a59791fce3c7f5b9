internal import Halcyon
internal import JSONText
internal import NIOCore
internal import Tensors
internal import URIText

/// Requests as bytes of HTTP/1.1.
struct HTTPRequestWriter: Sendable {
    let address: ServerAddress
    let headers: [(name: String, value: String)]

    func request(
        _ method: String, _ path: String, body: [UInt8] = [], extra: [(name: String, value: String)] = []
    ) -> ByteBuffer {
        var head = "\(method) \(address.prefix)\(path) HTTP/1.1\r\nhost: \(address.authority)\r\n"
        for (name, value) in headers + extra { head += "\(name): \(value)\r\n" }
        if method != "GET" { head += "content-length: \(body.count)\r\n" }
        head += "\r\n"
        var buffer = ByteBuffer()
        buffer.reserveCapacity(head.utf8.count + body.count)
        buffer.writeString(head)
        buffer.writeBytes(body)
        return buffer
    }

    /// An inference.
    func inference(
        _ form: RequestForm, step: RequestData.Step, lane: Int, index: Int, sequence: InferenceSequence?
    ) -> ByteBuffer {
        var json = JSONOutput()
        var binary: [UInt8] = []
        json.append("{")
        var parameters: [String] = []
        if let sequence, case .number(let id) = sequence.id {
            parameters.append(
                #""sequence_id":\#(id),"sequence_start":\#(sequence.isStart),"sequence_end":\#(sequence.isEnd)"#)
        }
        if form.memory == nil, !form.usesJSON { parameters.append(#""binary_data_output":true"#) }
        if !parameters.isEmpty {
            json.append(json: Array("\"parameters\":{\(parameters.joined(separator: ","))},".utf8)[...])
        }
        json.append("\"inputs\":[")
        for (place, tensor) in step.enumerated() {
            if place > 0 { json.append(",") }
            json.append("{\"name\":")
            json.append(string: tensor.name)
            json.append(
                json: Array(",\"datatype\":\"\(tensor.elementType.rawValue)\",\"shape\":\(tensor.shape)".utf8)[...])
            if let region = form.memory?.input(step: index, input: place) {
                json.append(",\"parameters\":")
                append(region, to: &json)
            } else if form.usesJSON {
                json.append(",\"data\":")
                TensorText.append(tensor, to: &json)
            } else {
                json.append(json: Array(",\"parameters\":{\"binary_data_size\":\(tensor.data.byteCount)}".utf8)[...])
                tensor.data.withUnsafeBytes { binary.append(contentsOf: $0) }
            }
            json.append("}")
        }
        json.append("]")
        if let memory = form.memory {
            json.append(",\"outputs\":[")
            for (place, output) in form.model.outputs.enumerated() {
                if place > 0 { json.append(",") }
                json.append("{\"name\":")
                json.append(string: output.name)
                json.append(",\"parameters\":")
                append(memory.output(lane: lane, output: place), to: &json)
                json.append("}")
            }
            json.append("]")
        }
        json.append("}")
        var extra = [(name: "content-type", value: "application/json")]
        if !binary.isEmpty {
            extra = [
                ("content-type", "application/octet-stream"),
                ("inference-header-content-length", String(json.bytes.count)),
            ]
        }
        let version = form.model.version.isEmpty ? "" : "/versions/\(form.model.version)"
        return request(
            "POST", "/v2/models/\(PercentEncoding.encode(form.model.name))\(version)/infer", body: json.bytes + binary,
            extra: extra)
    }

    private func append(_ region: SharedTensors.Place, to json: inout JSONOutput) {
        json.append("{\"shared_memory_region\":")
        json.append(string: region.region)
        json.append(
            json: Array(
                ",\"shared_memory_byte_size\":\(region.byteCount),\"shared_memory_offset\":\(region.offset)}".utf8)[
                    ...])
    }
}

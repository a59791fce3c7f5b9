import Halcyon
import KServeProtocol
import Tensors
import Testing

@Suite("Classification")
struct ClassificationTests {
    private func classes(
        _ tensor: Tensor, count: Int, hasBatch: Bool, labels: [String] = []
    ) throws -> (shape: [Int], texts: [String]) {
        var output = RequestedOutput(name: tensor.name)
        output.classCount = count
        var call = InferenceCall(request: InferenceRequest(modelName: "m", inputs: []), outputs: [output])
        call.form.hasBatchDimension = hasBatch
        call.form.labels = [tensor.name: labels]
        let result = try InferenceResult(
            InferenceResponse(modelName: "m", modelVersion: 1, id: "", outputs: [tensor]), for: call.form,
            memory: SharedMemory(isAllowed: false))
        let tensor = result.outputs[0].tensor
        let json = String(decoding: try InferenceJSONWriter(result).json, as: UTF8.self)
        let list = json.split(separator: "\"data\":[")[1].prefix(while: { $0 != "]" })
        return (tensor.shape.dimensions, list.split(separator: ",").map { String($0.dropFirst().dropLast()) })
    }

    @Test("The largest values with index and label, item by item")
    func batch() throws {
        let tensor = try Tensor(name: "O", shape: [2, 3], [1, 3, 2, 9, 9, 8] as [Int32])
        let result = try classes(tensor, count: 2, hasBatch: true, labels: ["a", "b"])
        #expect(result.shape == [2, 2])
        #expect(result.texts == ["3:1:b", "2:2", "9:0:a", "9:1:b"])
    }

    @Test("Floating-point values have six decimals, and there are never more classes than values")
    func floats() throws {
        let tensor = try Tensor(name: "O", shape: [2], [0.25, -1] as [Float])
        let result = try classes(tensor, count: 5, hasBatch: false)
        #expect(result.shape == [2])
        #expect(result.texts == ["0.250000:0", "-1.000000:1"])
    }

    @Test("Any number of classes can be asked for, equal values keep their order, and what is no number comes last")
    func limits() throws {
        let values: [Float] = (0..<300).map { Float($0 % 7) } + [.nan, .infinity]
        let tensor = try Tensor(name: "O", shape: [302], values)
        let all = try classes(tensor, count: .max, hasBatch: false)
        #expect(all.shape == [302] && all.texts.count == 302)
        #expect(all.texts.prefix(3) == ["inf:301", "6.000000:6", "6.000000:13"])
        #expect(all.texts.last?.hasSuffix(":300") == true)
        for count in [1, 3, 64, 65] {
            let some = try classes(tensor, count: count, hasBatch: false)
            #expect(some.shape == [count] && some.texts == Array(all.texts.prefix(count)))
        }
        let none = try Tensor(name: "O", shape: [0, 3], [] as [Float])
        #expect(try classes(none, count: 2, hasBatch: true).shape == [0, 0])
    }

    @Test("Types without an order have no classes")
    func unordered() throws {
        let tensor = try Tensor(name: "O", elementType: .bool, shape: [1], data: TensorBuffer(copying: [1] as [UInt8]))
        #expect(throws: HalcyonError.self) { try classes(tensor, count: 1, hasBatch: false) }
    }
}

import ModelRuntime
import Tensors
import Testing

@Suite("Response cache")
struct ResponseCacheTests {
    private func key(_ value: Float, model: UInt64 = 1, outputs: [String] = [], name: String = "IN") throws -> CacheKey
    {
        CacheKey(model: model, inputs: [try Tensor(name: name, shape: [1], [value])], outputs: outputs)
    }

    private func answer(_ value: Float) throws -> [Tensor] { [try Tensor(name: "OUT", shape: [1], [value])] }

    private func value(_ outputs: [Tensor]?) throws -> Float? { try outputs?.first?.elements(as: Float.self).first }

    @Test("Only the very same request is answered")
    func keys() throws {
        let cache = ResponseCache(byteLimit: 1 << 20)
        cache.insert(try answer(10), for: try key(1))
        #expect(try value(cache.outputs(for: key(1))) == 10)
        #expect(cache.outputs(for: try key(2)) == nil)
        #expect(cache.outputs(for: try key(1, model: 2)) == nil)
        #expect(cache.outputs(for: try key(1, outputs: ["OUT"])) == nil)
        #expect(cache.outputs(for: try key(1, name: "OTHER")) == nil)
        let reshaped = CacheKey(model: 1, inputs: [try Tensor(name: "IN", shape: [1, 1], [1 as Float])], outputs: [])
        #expect(cache.outputs(for: reshaped) == nil)
    }

    @Test("The least recently used goes first, and one that is too large never comes in")
    func eviction() throws {
        let cache = ResponseCache(byteLimit: 3 * 530)
        for number in 1...3 { cache.insert(try answer(Float(number)), for: try key(Float(number))) }
        #expect(try value(cache.outputs(for: key(1))) == 1)
        cache.insert(try answer(4), for: try key(4))
        #expect(cache.outputs(for: try key(2)) == nil)
        #expect(try value(cache.outputs(for: key(1))) == 1)
        #expect(try value(cache.outputs(for: key(4))) == 4)
        #expect(cache.usage.entries == 3 && cache.usage.evictions == 1)
        cache.insert([try Tensor(name: "OUT", shape: [1000], [Float](repeating: 0, count: 1000))], for: try key(5))
        #expect(cache.usage.entries == 3)
        cache.removeAll(of: 1)
        #expect(cache.usage.entries == 0 && cache.usage.byteCount == 0)
    }

    @Test("What it keeps is its own: a request's memory may change")
    func copies() throws {
        let cache = ResponseCache(byteLimit: 1 << 20)
        let storage = TensorStorage.allocate(byteCount: 4)
        storage.baseAddress.storeBytes(of: 1, as: Float.self)
        let input = try Tensor(name: "IN", elementType: .fp32, shape: [1], data: TensorBuffer(storage))
        cache.insert(try answer(10), for: CacheKey(model: 1, inputs: [input], outputs: []))
        storage.baseAddress.storeBytes(of: 2, as: Float.self)
        #expect(cache.outputs(for: CacheKey(model: 1, inputs: [input], outputs: [])) == nil)
        #expect(try value(cache.outputs(for: key(1))) == 10)
    }

    @Test("Many entries come and go in the right order")
    func order() throws {
        let cache = ResponseCache(byteLimit: 10 * 520)
        var recent: [Int] = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let number = Int.random(in: 0..<20, using: &generator)
            let isKnown = cache.outputs(for: try key(Float(number))) != nil
            #expect(isKnown == recent.contains(number))
            if !isKnown { cache.insert(try answer(Float(number)), for: try key(Float(number))) }
            recent.removeAll { $0 == number }
            recent.append(number)
            recent = Array(recent.suffix(cache.usage.entries))
        }
    }
}

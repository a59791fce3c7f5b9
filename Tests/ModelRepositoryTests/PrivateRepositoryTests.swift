import Foundation
import Tensors
import Testing

@testable import ModelRepository

@Suite("Folders for what requests bring")
struct PrivateRepositoryTests {
    @Test("A folder goes with its value, and what a process has left is removed by the next one")
    func leftovers() throws {
        let parent = try TemporaryRepository()
        var used: PrivateRepository? = try PrivateRepository(
            model: try ModelName("m"), files: ["1/model.stub": TensorBuffer(copying: [1])], in: parent.path)
        let path = try #require(used?.path)
        // As a process leaves one that is killed: its lock is free.
        try parent.file("halcyon-model-abcdef/m/1/model.stub")
        try parent.file("halcyon-model-abcdef/.lock")
        // Somebody else's business, and one that is being made.
        try parent.file("other/.lock")
        try parent.folder("halcyon-model-ghijkl")
        try parent.link("halcyon-model-mnopqr", to: "other")
        #expect(PrivateRepository.removeLeftovers(in: parent.path) == [parent.path + "/halcyon-model-abcdef"])
        #expect(FileManager.default.fileExists(atPath: path + "/m/1/model.stub"))
        for name in ["other/.lock", "halcyon-model-ghijkl"] {
            #expect(FileManager.default.fileExists(atPath: "\(parent.path)/\(name)"))
        }
        used = nil
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(used == nil)
    }
}

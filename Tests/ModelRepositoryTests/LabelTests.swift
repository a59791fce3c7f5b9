import ModelConfigurations
import ModelRepository
import Tensors
import Testing

struct LabelTests {
    private let repository: TemporaryRepository

    init() throws {
        repository = try TemporaryRepository()
        try repository.model(
            "m",
            configuration: """
                output { name: "CLASS" data_type: TYPE_FP32 dims: 1 label_filename: "labels.txt" }
                output { name: "BOX" data_type: TYPE_FP32 dims: 4 }
                """)
    }

    private func labels() throws -> [String: [String]] {
        try repository.reader().labels(of: try repository.read("m"))
    }

    @Test(
        arguments: [
            ("", []), ("cat", ["cat"]), ("cat\ndog\n", ["cat", "dog"]), ("cat\r\nhot dog\r\n", ["cat", "hot dog"]),
            ("\n\ncat\n\n\n", ["", "", "cat"]), ("\u{FEFF}猫\n", ["猫"]), (" a \n", [" a "]),
        ] as [(String, [String])])
    func `A label file has a label a line`(content: String, expected: [String]) throws {
        try repository.file("m/labels.txt", content)
        #expect(try labels() == ["CLASS": expected])
    }

    @Test func `A label file may lie deeper in the model's folder`() throws {
        try repository.file(
            "m/config.pbtxt", "output { name: \"O\" data_type: TYPE_FP32 dims: 1 label_filename: \"1/l\" }")
        try repository.file("m/1/l", "cat")
        #expect(try labels() == ["O": ["cat"]])
    }

    @Test func `A label file that is not there is an error`() {
        #expect(
            repository.error { try labels() }
                == HalcyonError(.internal, "failed to resolve '<repository>/m/labels.txt': No such file or directory"))
    }

    @Test func `A label file that is no text is an error with the line`() throws {
        try repository.file("m/labels.txt", bytes: Array("cat\n".utf8) + [0xFF])
        #expect(
            repository.error { try labels() }
                == HalcyonError(.invalidArgument, "the label file '<repository>/m/labels.txt' is not UTF-8 in line 2"))
    }

    @Test func `A label file that is too large is an error`() throws {
        try repository.file("m/labels.txt", bytes: Array(repeating: 65, count: 4 << 20 + 1))
        #expect(
            repository.error { try labels() }?.message.hasPrefix("'<repository>/m/labels.txt' has more than ") == true)
    }

    @Test func `A label file does not lead out of the model's folder`() throws {
        try repository.file("other/1/secret", "s")
        try repository.link("m/labels.txt", to: "../other/1/secret")
        #expect(
            repository.error { try labels() }
                == HalcyonError(
                    .unsupported,
                    "label file path '<repository>/m/labels.txt' for output 'CLASS' in model 'm' is outside model "
                        + "directory"
                ))
    }
}

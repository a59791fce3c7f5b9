import Foundation
import HalcyonTestKit
import Tensors
import Testing

@testable import ModelConversion

struct PythonEnvironmentTests {
    private func prepare(
        _ fake: FakePython, _ packages: [PythonEnvironment.Packages] = [.base], interpreter: String? = nil,
        interrupts: Interrupts = .none, requirements: String = "list"
    ) throws {
        var environment = PythonEnvironment(
            folder: fake.environment, interpreter: interpreter ?? fake.program, variables: fake.variables,
            console: CollectingConsole().console, interrupts: interrupts)
        environment.requirements = { Array("\($0.rawValue) \(requirements)".utf8) }
        try environment.prepare(packages)
    }

    @Test func `It is made once, and grows by what is needed`() throws {
        let fake = try FakePython()
        try prepare(fake)
        try prepare(fake)
        #expect(fake.calls(of: "venv") == 2)  // The question whether it can be made, and the making.
        #expect(fake.calls(of: "pip install") == 1)
        try prepare(fake, [.base, .int8])
        #expect(fake.calls(of: "-m venv") == 1)
        #expect(fake.calls(of: "pip install") == 2)
        #expect(fake.calls.last?.contains("requirements_int8.txt") == true)
        #expect(fake.calls.last?.contains("--require-hashes") == true)
    }

    @Test func `An interrupted set-up is noticed and done again`() throws {
        var fake = try FakePython()
        fake.variables["FAKE_PIP"] = "1"
        #expect(!message { try prepare(fake) }.isEmpty)
        fake.variables["FAKE_PIP"] = nil
        try prepare(fake)
        #expect(fake.calls(of: "-m venv") == 2)
        // One that was adding packages to an environment that was complete.
        try Data().write(to: URL(fileURLWithPath: fake.environment + "/installing"))
        try prepare(fake)
        #expect(fake.calls(of: "-m venv") == 3)
        try prepare(fake)
        #expect(fake.calls(of: "-m venv") == 3)
    }

    @Test func `Other packages than those that are pinned now are out of date`() throws {
        let fake = try FakePython()
        try prepare(fake, [.base, .onnx], requirements: "old")
        try prepare(fake, requirements: "new")
        #expect(fake.calls(of: "-m venv") == 2)
        #expect(!FileManager.default.fileExists(atPath: fake.environment + "/onnx.stamp"))
    }

    @Test func `What is missing is said, with what to install`() throws {
        var fake = try FakePython()
        #expect(message { try prepare(fake, interpreter: "/nowhere/python3") }.contains("python3-venv"))
        #expect(message { try prepare(fake, interpreter: "no-such-python") }.contains("'no-such-python'"))
        fake.variables["FAKE_ENSUREPIP"] = "1"
        #expect(message { try prepare(fake) }.contains("python3-venv"))
        fake.variables["FAKE_ENSUREPIP"] = nil
        fake.variables["FAKE_VERSION"] = "3 9"
        #expect(message { try prepare(fake) }.contains("Python 3.9"))
        fake.variables["FAKE_VERSION"] = "3 11"
        fake.variables["FAKE_VENV"] = "1"
        #expect(message { try prepare(fake) }.contains("can't be made"))
    }

    @Test func `Without a network the installer's last words are in the error`() throws {
        var fake = try FakePython()
        fake.variables["FAKE_PIP"] = "1"
        fake.variables["FAKE_PIP_WORDS"] = "Temporary failure in name resolution"
        let text = message { try prepare(fake) }
        #expect(text.contains("Temporary failure in name resolution"))
        #expect(text.contains("run the same command again"))
    }

    @Test func `A folder that others could put programs into is refused`() throws {
        let fake = try FakePython()
        try prepare(fake)
        let mode = try FileManager.default.attributesOfItem(atPath: fake.environment)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        for mode in [0o770, 0o702, 0o1777] {
            #expect(chmod(fake.environment, mode_t(mode)) == 0)
            #expect(message { try prepare(fake) }.contains("chmod 700"))
        }
        #expect(chmod(fake.environment, 0o755) == 0)
        try prepare(fake)
        // Where this is the superuser, the folder is given away; else the root is another's.
        let isSuperuser = geteuid() == 0
        if isSuperuser { #expect(chown(fake.environment, 1, 1) == 0) }
        let foreign = PythonEnvironment(
            folder: isSuperuser ? fake.environment : "/", interpreter: fake.program, variables: fake.variables,
            console: CollectingConsole().console, interrupts: .none)
        #expect(message { try foreign.prepare([.base]) }.contains("belongs to user"))
    }

    @Test func `Variables that lead Python elsewhere are taken out`() {
        let settings = PythonEnvironment.settings(["PYTHONPATH": "/x", "PYTHONHOME": "/y", "HTTP_PROXY": "p"])
        #expect(settings["PYTHONPATH"] == nil)
        #expect(settings["PYTHONHOME"] == nil)
        #expect(settings["HTTP_PROXY"] == "p")
    }
}

#!/usr/bin/env python3
"""Triton's C interface as C programs have it: run.py FOLDER_WITH_PROGRAMS [NAME ...]

FOLDER holds libtritonserver.so and halcyon. The library is installed into a folder of its own first, as `make install` does.
"""

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True

from declarations import HEADERS, ROOT, functions, names  # noqa: E402
from interface import HANDLE, RELEASE, Call, Failure, Interface  # noqa: E402
from tritons_program import PROGRAM, lay_out  # noqa: E402

EXAMPLE = ROOT / "Examples" / "c_api"
UNAVAILABLE = 4
# What the library may ask of a machine.
SYSTEM = {"libc.so.6", "libm.so.6", "libz.so.1", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Installed(unittest.TestCase):
    programs = None

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory()
        cls.prefix = Path(cls.work.name) / "tritonserver"
        output(ROOT / "Scripts" / "install", str(cls.prefix), "--programs", str(cls.programs))
        cls.library = cls.prefix / "lib" / "libtritonserver.so"

    @classmethod
    def tearDownClass(cls):
        output(ROOT / "Scripts" / "install", str(cls.prefix), "--uninstall")
        assert not cls.prefix.exists(), f"{sorted(cls.prefix.rglob('*'))} are left"
        cls.work.cleanup()


class Library(Installed):
    def test_exports_the_interface_and_nothing_else(self):
        exported = {line.split()[-1] for line in output("nm", "-D", "--defined-only", self.library).splitlines()}
        self.assertEqual(exported, set(names()))
        declared = {function.name for header in HEADERS.glob("*.h") for function in functions(header.name)}
        self.assertEqual({name for name in declared if name.startswith("TRITONSERVER_")} - exported, set())
        self.assertEqual(len({name for name in exported if name.startswith("TRITONSERVER_")}), 172)

    def test_needs_nothing_but_the_system(self):
        dynamic = output("readelf", "-d", self.library)
        self.assertIn("soname: [libtritonserver.so]", dynamic)
        beside = {path.name for path in self.library.parent.iterdir()}
        self.assertEqual(set(re.findall(r"NEEDED.*\[(.*)\]", dynamic)) - SYSTEM - beside, set())
        self.assertIn("[$ORIGIN]", dynamic)

    def test_the_second_name_of_the_program_serves(self):
        program = self.prefix / "bin" / "tritonserver"
        self.assertIn("halcyon serve", output(program, "--help"))
        refused = subprocess.run(
            [program, "--model-repository", self.prefix / "none"], capture_output=True, text=True, check=False
        )
        self.assertEqual(refused.returncode, 1)
        self.assertIn("does not exist", refused.stderr)


class Programs(Installed):
    """The examples, built as their users build them."""

    def build(self, name):
        folder = Path(tempfile.mkdtemp(dir=self.work.name))
        for file in EXAMPLE.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        output("make", name, f"TRITON={self.prefix}", cwd=folder)
        return folder / name

    def test_the_c_program_asks_and_shows_statistics(self):
        text = output(self.build("echo"), EXAMPLE / "model_repository")
        self.assertEqual(text.splitlines()[0], "OUTPUT0: 1 2 3 4")
        self.assertIn('"inference_count":1', text)

    def test_the_c_plus_plus_program_finds_people(self):
        program = self.build("find_people")
        people = ROOT / "Examples" / "people_detection"
        model = people / "model_repository_1" / "pedestrian_ssdlite" / "1" / "model.pb"
        picture = ROOT / ".deps" / "images" / "bus.jpg"
        engine = ROOT / ".deps" / "backends" / "openvino"
        for needed in (model, picture, engine):
            if not needed.exists():
                self.skipTest(f"{needed} is not here: make deps")
        text = output(program, picture, people / "ensemble", people / "model_repository_1")
        count = re.match(r"(\d+) people in ", text)
        self.assertIsNotNone(count, text)
        self.assertGreaterEqual(int(count.group(1)), 2)
        self.assertEqual(len(text.splitlines()), int(count.group(1)) + 1)


class Coverage(unittest.TestCase):
    """That no function is left out of the tests."""

    TESTS = ("Tests/CInterface", "Tests/TritonInterfaceTests", "Tests/TritonServerTests", "Examples/c_api")

    def test_each_function_is_called(self):
        files = [path for folder in self.TESTS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".c", ".cc", ".swift")]
        text = "\n".join(path.read_text() for path in files)
        called = set(re.findall(r"\b(TRITON[A-Z]+_\w+)\s*\(", text))
        called |= set(re.findall(r"library\.(TRITON\w+)", text))
        # The client in Python, and the table of the backend that gives wrong arguments.
        called |= {f"TRITONSERVER_{name}" for name in re.findall(r"interface\.(?:made\(\"|message\(\")?(\w+)", text)}
        called |= {f"TRITONBACKEND_{name}" for name in re.findall(r"\b(?:BOTH|ONCE)\((\w+)", text)}
        self.assertEqual([name for name in names() if name not in called], [])


class Python(Installed):
    """A program in another language, by ctypes."""

    def setUp(self):
        self.interface = Interface(self.library)

    def test_asks_again_and_again(self):
        server = self.interface.server(EXAMPLE / "model_repository")
        call = Call(self.interface, server, "echo", "INPUT0", [5, 6, 7])
        for _ in range(100):
            self.assertEqual(call.run(), [5, 6, 7])
        statistics = self.interface.message("ServerModelStatistics", server, b"echo", ctypes.c_int64(-1))
        self.assertIn('"inference_count":100,', statistics)
        call.delete()
        self.interface.ServerDelete(server)

    def test_a_child_of_a_fork_is_told_that_the_server_is_its_parents(self):
        server = self.interface.server(EXAMPLE / "model_repository")
        call = Call(self.interface, server, "echo", "INPUT0", [1])
        child = os.fork()
        if child == 0:
            try:
                self.interface.ServerInferAsync(server, call.request, None)
                os._exit(1)
            except Failure as failure:
                os._exit(0 if failure.code == UNAVAILABLE else 2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertEqual(call.run(), [1])
        call.delete()
        self.interface.ServerDelete(server)

    def test_the_log_is_the_processs_and_goes_where_the_options_say(self):
        enabled = self.interface.library.TRITONSERVER_LogIsEnabled
        enabled.restype = ctypes.c_bool
        options = self.interface.made("ServerOptionsNew")
        file = Path(self.work.name) / "log"
        self.interface.ServerOptionsSetLogFile(options, str(file).encode())
        for name, on in (("Info", False), ("Warn", True), ("Error", True)):
            getattr(self.interface, f"ServerOptionsSetLog{name}")(options, ctypes.c_bool(on))
        self.interface.ServerOptionsSetLogVerbose(options, 0)
        self.interface.ServerOptionsSetModelRepositoryPath(options, str(EXAMPLE / "model_repository").encode())
        server = self.interface.made("ServerNew", options)
        self.assertEqual([enabled(level) for level in (0, 1, 2, 3, 99)], [False, True, True, False, False])
        self.interface.LogMessage(1, b"file.c", 7, b"of the program's")
        self.interface.LogMessage(0, b"file.c", 8, b"nobody hears this")
        self.interface.ServerDelete(server)
        self.interface.ServerOptionsSetLogFile(options, b"")
        self.interface.ServerOptionsDelete(options)
        self.assertIn("of the program's", file.read_text())
        self.assertNotIn("nobody hears this", file.read_text())

    def test_closing_the_library_leaves_it_there(self):
        close = ctypes.CDLL(None).dlclose
        close.argtypes = [ctypes.c_void_p]
        server = self.interface.server(EXAMPLE / "model_repository")
        self.interface.ServerDelete(server)
        for _ in range(3):
            library = ctypes.CDLL(str(self.library))
            close(library._handle)
        call_server = Interface(self.library).server(EXAMPLE / "model_repository")
        Interface(self.library).ServerDelete(call_server)


class TritonsProgram(Installed):
    """Triton's own server program, from the package nvidia-pytriton, with this library in place of its own."""

    def test_serves(self):
        if not PROGRAM.is_file():
            self.skipTest(f"{PROGRAM} is not here: Benchmarks/run fetches it")
        program = lay_out(self.library, Path(self.work.name) / "package")
        ports = []
        for _ in range(3):
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                ports.append(listener.getsockname()[1])
        command = [program, f"--model-repository={EXAMPLE / 'model_repository'}"]
        command += [f"--{name}-port={port}" for name, port in zip(("http", "grpc", "metrics"), ports)]
        with open(Path(self.work.name) / "log", "w+") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                self.wait_for_line(server, log, "Started Metrics Service")
                address = f"http://127.0.0.1:{ports[0]}/v2/models/echo"
                body = {"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1, 3], "data": [1, 2, 3]}]}
                answer = self.ask(f"{address}/infer", json.dumps(body).encode())
                self.assertEqual(answer["outputs"][0]["data"], [1, 2, 3])
                statistics = self.ask(f"{address}/stats")
                self.assertEqual(statistics["model_stats"][0]["inference_count"], 1)
            finally:
                server.terminate()
            self.assertEqual(server.wait(), 0)

    @staticmethod
    def ask(address, body=None):
        with urllib.request.urlopen(address, body) as answer:
            return json.load(answer)

    def wait_for_line(self, server, log, text):
        while text not in Path(log.name).read_text():
            self.assertIsNone(server.poll(), Path(log.name).read_text())
            time.sleep(0.05)


# Where NULL is as good as any other value.
MAY_BE_NULL = {
    "trace", "voidp", "userp", "trace_userp", "request_release_userp", "response_allocator_userp", "response_userp",
    "start_fn", "buffer_attributes_fn", "query_fn", "name_mapping", "parameters", "labels", "base", "shape", "args",
    "filename", "msg",
}  # fmt: skip


class WrongArguments(Installed):
    """Every function that can fail: NULL, what is no handle, a handle of another kind, and one that was given up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.interface = interface = Interface(cls.library)
        cls.server = interface.server(EXAMPLE / "model_repository")
        cls.callback = RELEASE(lambda *arguments: None)
        callback = ctypes.cast(cls.callback, ctypes.c_void_p)
        cls.call = Call(interface, cls.server, "echo", "INPUT0", [1])
        metrics = HANDLE()
        interface.ServerMetrics(cls.server, ctypes.byref(metrics))
        message = interface.made("MessageNewFromSerializedJson", b"{}", ctypes.c_size_t(2))
        entry = HANDLE()
        interface.library.TRITONCACHE_CacheEntryNew.restype = ctypes.c_void_p
        interface.check(interface.library.TRITONCACHE_CacheEntryNew(ctypes.byref(entry)))
        cls.handles = {
            "TRITONSERVER_Server*": cls.server,
            "TRITONSERVER_InferenceRequest*": cls.call.request,
            "TRITONSERVER_ResponseAllocator*": cls.call.allocator,
            "TRITONSERVER_ServerOptions*": interface.made("ServerOptionsNew"),
            "TRITONSERVER_BufferAttributes*": interface.made("BufferAttributesNew"),
            "TRITONSERVER_InferenceTrace*": interface.made("InferenceTraceNew", 4, ctypes.c_uint64(0), callback, callback, None),
            "TRITONSERVER_Metrics*": metrics,
            "TRITONSERVER_Message*": message,
            "TRITONCACHE_CacheEntry*": entry,
        }  # fmt: skip
        cls.gone = interface.made("BufferAttributesNew")
        interface.BufferAttributesDelete(cls.gone)

    @classmethod
    def tearDownClass(cls):
        cls.call.delete()
        cls.interface.ServerDelete(cls.server)
        super().tearDownClass()

    def value(self, parameter):
        """Something that may be given for a parameter."""
        if parameter.type in self.handles:
            return self.handles[parameter.type]
        if parameter.type == "char*":
            return ctypes.c_char_p(b"echo")
        if parameter.type.endswith("Fn_t"):
            return ctypes.cast(self.callback, ctypes.c_void_p)
        if parameter.type.endswith("*"):
            return ctypes.cast(ctypes.create_string_buffer(64), ctypes.c_void_p)
        if parameter.type == "double":
            return ctypes.c_double(1)
        if parameter.type in ("int64_t", "uint64_t", "size_t"):
            return ctypes.c_int64(0)
        return ctypes.c_int(0)

    def error(self, function, arguments):
        entry = getattr(self.interface.library, function.name)
        entry.restype = ctypes.c_void_p
        return self.interface.failure(entry(*arguments))

    def test_all(self):
        tried = 0
        for function in functions() + functions("tritoncache.h") + functions("tritonrepoagent.h"):
            if function.result != "TRITONSERVER_Error*" or function.name in ("TRITONSERVER_ErrorNew",):
                continue
            for index, parameter in enumerate(function.parameters):
                arguments = [self.value(other) for other in function.parameters]
                wrong = []
                if parameter.type.endswith("*") or parameter.type.endswith("Fn_t"):
                    wrong += [] if parameter.name in MAY_BE_NULL else [None]
                if re.fullmatch(r"TRITON(SERVER|CACHE|REPOAGENT)_\w+\*", parameter.type) and not re.search(
                    r"_(DataType|MemoryType|ParameterType|MetricKind|ArtifactType)\*", parameter.type
                ):
                    other = next(handle for kind, handle in self.handles.items() if kind != parameter.type)
                    wild = ctypes.cast(ctypes.create_string_buffer(64), ctypes.c_void_p)
                    wrong += [other, wild, self.gone, ctypes.c_void_p(1)]
                for value in wrong:
                    arguments[index] = value
                    with self.subTest(function=function.name, parameter=parameter.name, value=value):
                        failure = self.error(function, arguments)
                        self.assertIsNotNone(failure)
                        self.assertGreater(len(str(failure)), 10)
                    tried += 1
        self.assertGreater(tried, 400)
        self.assertEqual(self.call.run(), [1])


def main(programs, patterns):
    loader = unittest.TestLoader()
    if patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in patterns]
    Installed.programs = programs
    suite = unittest.TestSuite()
    for case in (Coverage, Library, Programs, Python, TritonsProgram, WrongArguments):
        suite.addTest(loader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2 if patterns else 1).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))

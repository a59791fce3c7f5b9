"""Backends' libraries that are missing, damaged, or lie where they may not; backends that are written in Python."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import tritonclient.http as httpclient

from server import BACKENDS, ROOT, soon

from .support import ADD_SUB, HERE, SOURCES, WHY, PythonServer


@unittest.skipUnless(HERE, WHY)
class BackendsInPython(unittest.TestCase):
    """Their `model.py` serves every model of theirs."""

    def test_by_its_file_and_where_the_configuration_chooses_it(self):
        text = ADD_SUB.replace('"python"', '"chosen"')
        models = {"first": text.replace("chosen", "usual"), "second": text + 'runtime: "model.py"\n'}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "python").symlink_to(BACKENDS / "python")
            for name in ("chosen", "usual"):
                (Path(folder) / name).mkdir()
                # It learns of the model that it runs, and finds what lies beside it.
                (Path(folder) / name / "beside.py").write_text(f"NAME = '{name}'\n")
                shutil.copy(SOURCES / "in_python.py", Path(folder) / name / "model.py")
            # Without the configuration's word this would be taken.
            (Path(folder) / "chosen" / "libtriton_chosen.so").write_text("no library")
            with PythonServer(self.program, models, {}, f"--backend-directory={folder}") as server:
                with httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120) as client:
                    for name, backend in (("first", "usual"), ("second", "chosen")):
                        inputs = [httpclient.InferInput(tensor, [1, 4], "FP32") for tensor in ("INPUT0", "INPUT1")]
                        for tensor in inputs:
                            tensor.set_data_from_numpy(np.array([[1, 2, 3, 4]], np.float32))
                        answer = client.infer(name, inputs)
                        self.assertEqual(answer.as_numpy("OUTPUT0").tolist(), [[2, 4, 6, 8]])
                        self.assertIn(f"{backend} runs {name}", server.text())
                    self.assertEqual(client.get_model_config("second")["runtime"], "model.py")


class MissingBackend(unittest.TestCase):
    def test_the_error_names_the_file_and_the_folders(self):
        with tempfile.TemporaryDirectory() as folder:
            server = PythonServer(
                self.program, {"add_sub": ADD_SUB, "other": 'backend: "mine"\n'}, {"add_sub": "add_sub"},
                f"--backend-directory={folder}")  # fmt: skip
            server.start()
            try:
                self.assertTrue(soon(lambda: server.text().count("model failed to load") == 2), server.text())
                text = server.text()
                self.assertIn(f"libtriton_python.so was looked for in {folder}/python", text)
                self.assertIn("Scripts/deps --python-models", text)
                self.assertIn(f"libtriton_mine.so was looked for in {folder}/mine", text)
            finally:
                server.process.kill()
                server.process.wait()
                server.end()

    def test_a_library_that_lies_with_the_model_is_looked_at_where_that_is_allowed(self):
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "library"
            library.write_bytes(b"no library at all" * 10)
            for flags, words in (
                ([], "libtriton_mine.so in the version's folder was not looked at, as it is code: --allow-model-backends has it loaded"),
                (["--allow-model-backends"], "other/1/libtriton_mine.so' is no complete library"),
            ):
                server = PythonServer(
                    self.program, {"other": 'backend: "mine"\n'}, {}, f"--backend-directory={folder}", *flags)  # fmt: skip
                server.files["other/1/libtriton_mine.so"] = library
                server.start()
                try:
                    self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                    self.assertIn(words, server.text())
                    # The commands that look at models without a server agree.
                    command = [self.program, "lint", f"{server.folder}/models", f"--backend-directory={folder}", *flags]
                    said = subprocess.run(command, capture_output=True, text=True)
                    self.assertEqual(said.returncode, 1)
                    self.assertIn(words, said.stdout)
                finally:
                    server.process.kill()
                    server.process.wait()
                    server.end()

    @unittest.skipUnless(shutil.which("clang"), "no C compiler")
    def test_custom_batching_and_isolation_do_not_go_together(self):
        text = """backend: "mine"
max_batch_size: 2
input [ { name: "IN" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
dynamic_batching { }
parameters { key: "isolation" value { string_value: "process" } }
"""
        sources = ROOT / "Tests" / "TritonInterfaceTests" / "Backends"
        with tempfile.TemporaryDirectory() as folder:
            backend = Path(folder) / "mine"
            backend.mkdir()
            for source, name, macro in (
                ("instances.c", "libtriton_mine.so", "TOGETHER=0"), ("strategy.c", "batchstrategy.so", f'REPORT="{folder}/report"'),
            ):  # fmt: skip
                subprocess.run(
                    ["clang", "-shared", "-fPIC", "-D_GNU_SOURCE", f"-I{ROOT}/Sources/CTriton/include", f"-D{macro}", "-o",
                     backend / name, sources / source, "-pthread"], check=True)  # fmt: skip
            server = PythonServer(self.program, {"other": text}, {}, f"--backend-directory={folder}")
            server.start()
            try:
                self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                self.assertIn("a model with a library of custom batching can't be isolated", server.text())
            finally:
                server.process.kill()
                server.process.wait()
                server.end()

    def test_a_damaged_library_and_one_of_another_processor_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            backend = Path(folder) / "mine"
            backend.mkdir()
            library = backend / "libtriton_mine.so"
            source = BACKENDS / "openvino"
            real = sorted(source.glob("libopenvino_c.so*"))[0].read_bytes()
            for content, words in (
                (b"no library at all" * 10, "is no complete library: it does not begin as one"),
                (real[: len(real) // 2], "is no complete library"),
                (real[:18] + b"\x28\x00" + real[20:], "is a library for 32-bit ARM"),
            ):
                library.write_bytes(content)
                server = PythonServer(self.program, {"other": 'backend: "mine"\n'}, {}, f"--backend-directory={folder}")
                server.start()
                try:
                    self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                    self.assertIn(words, server.text())
                    self.assertIn(str(library), server.text())
                finally:
                    server.process.kill()
                    server.process.wait()
                    server.end()

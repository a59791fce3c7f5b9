"""Python models with an environment of their own, and their instances."""

import json
import shutil
import tarfile
import tempfile
import unittest
from pathlib import Path

import numpy as np
import tritonclient.http as httpclient

from server import BACKENDS, soon

from .support import ADD_SUB, HERE, WHY, PythonServer


def in_environment(path):
    return f"""backend: "python"
input [ {{ name: "IN" data_type: TYPE_INT32 dims: [ 1 ] }} ]
output [ {{ name: "SAID" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU }} ]
parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{path}" }} }}
"""


@unittest.skipUnless(HERE, WHY)
class PythonEnvironments(unittest.TestCase):
    """Models with an environment of their own (`EXECUTION_ENV_PATH`): a folder, or what conda-pack makes."""

    # What the stub's shell reads first; a packed one is unpacked where nobody can foretell.
    ACTIVATE = """VIRTUAL_ENV="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)"
export VIRTUAL_ENV
export PATH="$VIRTUAL_ENV/bin:$PATH"
"""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="halcyon-environments-"))
        cls.own = cls.folder / "own"
        leave = shutil.ignore_patterns("PIL", "pillow*", "tests", "__pycache__")
        shutil.copytree(BACKENDS / "python" / "environment", cls.own, symlinks=True, ignore=leave)
        packages = next((cls.own / "lib").glob("python3.*")) / "site-packages"
        (packages / "packed_marker.py").write_text('WORD = "packed"\n')
        (cls.own / "bin" / "activate").write_text(cls.ACTIVATE)
        cls.archive = cls.folder / "own.tar.gz"
        with tarfile.open(cls.archive, "w:gz", compresslevel=1) as archive:
            for path in sorted(cls.own.iterdir()):
                archive.add(path, path.name)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def unpacked(self):
        return set(Path("/tmp").glob("python_env_*"))

    def said(self, server, model):
        tensor = httpclient.InferInput("IN", [1], "INT32")
        tensor.set_data_from_numpy(np.array([1], np.int32))
        client = httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120, connection_timeout=120)
        with client:
            return json.loads(client.infer(model, [tensor]).as_numpy("SAID")[0])

    def test_a_folder_and_an_archive_and_none(self):
        before = self.unpacked()
        models = {"folder": in_environment(self.own), "packed": in_environment(self.archive)}
        models["plain"] = in_environment("").replace("parameters", "#parameters")
        with PythonServer(self.program, models, {name: "packed" for name in models}) as server:
            self.assertEqual(self.said(server, "folder"), ["packed", str(self.own)])
            word, prefix = self.said(server, "packed")
            self.assertEqual(word, "packed")
            self.assertTrue(prefix.startswith("/tmp/python_env_"), prefix)
            self.assertEqual(self.said(server, "plain")[0], "not packed")
        # What was unpacked goes with the server.
        self.assertEqual(self.unpacked() - before, set())

    def test_what_is_missing_or_broken_is_said(self):
        broken = self.folder / "broken.tar.gz"
        broken.write_bytes(self.archive.read_bytes()[:100_000])
        missing = self.folder / "missing.tar.gz"
        # One server each: the backend unpacks nothing more once an archive was broken.
        for path, words in ((missing, "Failed to get the canonical path"), (broken, "archive_read")):
            server = PythonServer(
                self.program, {"own": in_environment(path)}, {"own": "packed"}, "--exit-on-error=false")  # fmt: skip
            server.start()
            try:
                self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                line = next(line for line in server.text().splitlines() if "model failed to load" in line)
                self.assertIn(words, line)
                self.assertIn(f"with the environment '{path}' (EXECUTION_ENV_PATH)", line)
            finally:
                server.end()


@unittest.skipUnless(HERE, WHY)
class PythonInstances(unittest.TestCase):
    def test_instances_start_at_the_same_time(self):
        text = in_environment("").replace("parameters", "#parameters").replace("kind: KIND_CPU", "count: 3 kind: KIND_CPU")
        with PythonServer(self.program, {"slow": text}, {"slow": "slow_start"}) as server:
            with httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120) as client:
                tensor = httpclient.InferInput("IN", [1], "INT32")
                tensor.set_data_from_numpy(np.array([1], np.int32))
                self.assertEqual(client.infer("slow", [tensor]).as_numpy("SAID")[0], b"here")

    def test_without_groups_there_is_one_instance_on_the_processor(self):
        text = ADD_SUB.replace("instance_group [ { count: 1 kind: KIND_CPU } ]\n", "")
        with PythonServer(self.program, {"add_sub": text}, {"add_sub": "add_sub"}) as server:
            with httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}") as client:
                groups = client.get_model_config("add_sub")["instance_group"]
        self.assertEqual([(group["name"], group["kind"], group["count"]) for group in groups], [("add_sub", "KIND_CPU", 1)])

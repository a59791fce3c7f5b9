"""The commands beside the server: lint and config."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from server import BACKENDS, SHARED, identity


class Commands(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def add(self, name, text):
        (self.folder / name / "1").mkdir(parents=True)
        (self.folder / name / "config.pbtxt").write_text(text)

    def run_command(self, *arguments):
        result = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout, result.stderr

    def test_lint(self):
        self.add("good", identity(["FP32"]))
        self.assertEqual(self.run_command("lint", self.folder), (0, "0 errors, 0 warnings\n", ""))
        self.add("small", identity(["FP32"], max_batch_size=1, lines="dynamic_batching { }"))
        self.assertEqual(self.run_command("lint", self.folder)[0], 0)
        status, output, _ = self.run_command("lint", self.folder, "--strict")
        self.assertEqual(status, 2)
        self.assertIn("small: warning: dynamic_batching batches nothing", output)
        self.add("bad", "max_batch_size: x\nunknown: 1\n")
        status, output, _ = self.run_command("lint", self.folder)
        self.assertEqual((status, output.splitlines()[-1]), (1, "2 errors, 1 warnings"))
        self.assertIn("config.pbtxt:1:17: error: max_batch_size", output)
        findings = json.loads(self.run_command("lint", self.folder, "--format", "json")[1])
        self.assertEqual([finding["model"] for finding in findings], ["bad", "bad", "small"])
        self.assertEqual(self.run_command("lint", self.folder / "nosuch")[0], 1)

    def test_config(self):
        self.add("model", identity(["FP32"], lines="dynamic_batching { }"))
        repository = f"--model-repository={self.folder}"
        _, text, _ = self.run_command("config", "model", repository, "--explain")
        lines = {line.split("#")[0].strip(): line.split("#")[1].strip() for line in text.splitlines() if "#" in line}
        self.assertEqual(lines["max_batch_size: 8"], "config.pbtxt:2:17")
        self.assertEqual(lines["preferred_batch_size: [ 8 ]"], "default")
        self.assertEqual(lines["kind: KIND_CPU"], "default")
        config = json.loads(self.run_command("config", "model", repository, "--format=json")[1])
        self.assertEqual(config["dynamic_batching"]["preferred_batch_size"], [8])
        # What is printed means the same when it is read.
        _, printed, _ = self.run_command("config", "model", repository)
        (self.folder / "model" / "config.pbtxt").write_text(printed)
        self.assertEqual(self.run_command("config", "model", repository)[1], printed)
        self.assertEqual(self.run_command("config", "nosuch", repository)[0], 1)

    @unittest.skipUnless((SHARED / "models" / "qa").is_dir() and (BACKENDS / "openvino").is_dir(),
                         "the models of ../shared or the engine are not there")  # fmt: skip
    def test_config_from_the_model(self):
        (self.folder / "simple" / "1").mkdir(parents=True)
        model = SHARED / "models" / "qa" / "simple.onnx"
        (self.folder / "simple" / "1" / "model.onnx").write_bytes(model.read_bytes())
        arguments = [f"--model-repository={self.folder}", f"--backend-directory={BACKENDS}"]
        _, text, error = self.run_command("config", "simple", *arguments, "--explain")
        origins = {line.split("#")[0].strip(): line.split("#")[1].strip() for line in text.splitlines() if "#" in line}
        self.assertEqual(origins.get('name: "INPUT0"'), "from the model", error)
        self.assertEqual(origins["max_batch_size: 4"], "default, as the model batches")
        self.assertEqual(self.run_command("lint", self.folder, "--open", arguments[1])[0], 0)

"""The commands beside the server, lint and config, and where all of them look for engines."""

import json
import os
import shutil
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

    def run_command(self, *arguments, cwd=None, **variables):
        result = subprocess.run(
            [self.program, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd,
            env={**os.environ, **variables},
        )  # fmt: skip
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

    def add_simple(self, name, lines="", tensors=None):
        """Triton's example with two inputs and two outputs, in ONNX Runtime."""
        port = '{{ name: "{}" data_type: TYPE_INT32 dims: 16 }}'
        tensors = tensors or "input [ {}, {} ] output [ {}, {} ]".format(
            *(port.format(each) for each in ("INPUT0", "INPUT1", "OUTPUT0", "OUTPUT1"))
        )
        self.add(name, f'backend: "onnxruntime"\nmax_batch_size: 8\n{tensors}\n{lines}\n')
        shutil.copy(SHARED / "models" / "qa" / "simple.onnx", self.folder / name / "1" / "model.onnx")

    @unittest.skipUnless((SHARED / "models" / "qa").is_dir() and (BACKENDS / "onnxruntime").is_dir(),
                         "the models of ../shared or the engine are not there")  # fmt: skip
    def test_lint_refuses_what_serve_refuses(self):
        port = "{{ name: \"{}\" data_type: TYPE_{} dims: {} {} }}"
        good = [("INPUT0", "INT32", 16, ""), ("INPUT1", "INT32", 16, "")]

        def inputs(*ports):
            listed = ", ".join(port.format(*each) for each in ports)
            outputs = ", ".join(port.format(name, "INT32", 16, "") for name in ("OUTPUT0", "OUTPUT1"))
            return f"input [ {listed} ] output [ {outputs} ]"

        faults = {
            "type": ("", inputs(good[0], ("INPUT1", "FP32", 16, ""))),
            "dims": ("", inputs(good[0], ("INPUT1", "INT32", 17, ""))),
            "missing": ("", inputs(good[0])),
            "unknown": ("", inputs(*good, ("INPUT2", "INT32", 16, ""))),
            "optional": ("", inputs(good[0], ("INPUT1", "INT32", 16, "optional: true"))),
            "decoupled": ("model_transaction_policy { decoupled: true }", None),
            "provider": (
                'optimization { execution_accelerators { cpu_execution_accelerator { name: "openvino" } } }', None
            ),
            "sample": (
                'model_warmup { name: "s" batch_size: 1 inputs { key: "INPUT0" value { data_type: TYPE_INT32 dims: 16 '
                "zero_data: true } } }", None,
            ),
        }  # fmt: skip
        for name, (lines, tensors) in faults.items():
            self.add_simple(name, lines, tensors)
        status, output, error = self.run_command("lint", self.folder, "--format=json", f"--backend-directory={BACKENDS}")
        self.assertEqual(status, 1, output + error)
        refused = {finding["model"] for finding in json.loads(output) if finding["severity"] == "error"}
        _, _, log = self.run_command(
            "serve", f"--model-repository={self.folder}", f"--backend-directory={BACKENDS}", "--http-port=0",
            "--grpc-port=0", "--metrics-port=0",
        )  # fmt: skip
        for name in faults:
            self.assertIn(f"model={name}\n", log.replace(" ", "\n") + "\n", f"serve takes '{name}'")
        self.assertEqual(refused, set(faults), output)
        status, output, _ = self.run_command("lint", self.folder, "--no-open")
        self.assertIn("; no model was opened", output)

    @unittest.skipUnless((SHARED / "models" / "qa").is_dir() and (BACKENDS / "onnxruntime").is_dir(),
                         "the models of ../shared or the engine are not there")  # fmt: skip
    def test_engines_are_found_without_a_flag(self):
        self.add_simple("simple")
        elsewhere = self.enterContext(tempfile.TemporaryDirectory())
        lost = {"HALCYON_BACKENDS": "", "XDG_DATA_HOME": elsewhere}

        def opened(cwd=elsewhere, **variables):
            status, output, error = self.run_command("lint", self.folder, cwd=cwd, **{**lost, **variables})
            self.assertEqual(status, 0, output + error)
            return "the model was not opened" not in output

        self.assertFalse(opened())
        self.assertTrue(opened(HALCYON_BACKENDS=str(BACKENDS)))
        (Path(elsewhere) / "halcyon").mkdir()
        (Path(elsewhere) / "halcyon" / "backends").symlink_to(BACKENDS)
        self.assertTrue(opened())
        (Path(elsewhere) / "halcyon" / "backends").unlink()
        (Path(elsewhere) / ".deps").mkdir()
        shutil.copytree(BACKENDS, Path(elsewhere) / ".deps" / "backends")
        self.assertTrue(opened())
        # A library that somebody else could have put there is not loaded.
        (Path(elsewhere) / ".deps").chmod(0o777)
        self.assertFalse(opened())
        status, _, error = self.run_command("config", "simple", f"--model-repository={self.folder}", cwd=elsewhere, **lost)
        self.assertEqual(status, 1)
        for part in ("is not in ", "/.deps/backends/onnxruntime (not used: everybody may write", "`make deps`",
                     "--backend-directory FOLDER or the variable HALCYON_BACKENDS"):  # fmt: skip
            self.assertIn(part, error)

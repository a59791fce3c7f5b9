"""What the tests share: conversions in this process, with what they said, in folders that go away."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
WORKER = ROOT / "Sources" / "ModelConversion" / "Python"
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(WORKER))

import convert_model  # noqa: E402
import reporting  # noqa: E402

_DEFAULTS = {
    "format": "onnx",
    "target": "openvino",
    "precision": "fp32",
    "input_dims": {},
    "layout": None,
    "outputs": [],
    "max_batch": None,
    "profiles": [],
    "calibration": None,
    "embed_preprocessing": None,
    "compiled": False,
    "threads": 2,
    "opset": None,
    "verify": False,
    "max_drop": None,
    "workspace_mib": None,
}


class ConversionTest(unittest.TestCase):
    """A folder for the models of a test, and conversions of them."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="halcyon-conversion-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.output = self.folder / "output"
        self.lines = []

    def job(self, model, **changes):
        """The path of a job for that model, with an empty output folder."""
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir()
        job = {**_DEFAULTS, "model": str(model), "output_dir": str(self.output), **changes}
        job.setdefault("model_file", "model.xml" if job["target"] == "openvino" else "model.onnx")
        path = self.folder / "job.json"
        path.write_text(json.dumps(job))
        return path

    def convert(self, model, **changes):
        """The result; what was told on the way is in `lines` then."""
        self.lines = []
        reporter = reporting.Reporter(write=self.lines.append)
        with _quiet():
            return convert_model.convert(str(self.job(model, **changes)), reporter)

    def refusal(self, model, **changes):
        """The error that the conversion ends with: a sentence, and no trace of a stack."""
        with self.assertRaises(reporting.ConversionError) as caught:
            self.convert(model, **changes)
        error = caught.exception
        self.assertNotIn("Traceback", error.message)
        self.assertNotIn("\n", error.message)
        return error

    def run_result(self, arrays):
        """What the converted model gives for these inputs."""
        if (self.output / "model.onnx").exists():
            import onnx_engine

            return onnx_engine.Runner(str(self.output / "model.onnx"), 2).run(arrays)
        import engine

        core = engine.core()
        return engine.Runner(core, core.read_model(str(self.output / "model.xml")), "f32", 2).run(arrays)


@contextlib.contextmanager
def _quiet():
    """Engines write to the process's standard error and output themselves; a test's report is no place for that."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in zip((1, 2), kept):
            os.dup2(original, descriptor)
            os.close(original)


def has(module):
    """Whether a library of one of the requirement files is there; the tests that need another one skip."""
    from importlib.util import find_spec

    return find_spec(module) is not None


def needs(module):
    return unittest.skipUnless(has(module), f"the environment has no {module}")

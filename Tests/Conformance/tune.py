"""`halcyon tune`: what it finds for a model whose costs are known, what it writes, and what it says where something is
wrong."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from server import identity

# One request takes 10 ms, and so does a batch of eight: batches and instances both help.
SLOW = identity(
    ["FP32"], dims="4",
    lines='# Slow on purpose.\nparameters { key: "execute_delay_ms" value { string_value: "10" } }\n'
    "instance_group [ { count: 1 kind: KIND_CPU } ]  # one",
)  # fmt: skip
CHAIN = """platform: "ensemble"
max_batch_size: 8
input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] } ]
ensemble_scheduling { step [
  { model_name: "slow" model_version: -1 input_map { key: "INPUT0" value: "IN" } output_map { key: "OUTPUT0" value: "OUT" } }
] }
"""


class Tune(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in (("slow", SLOW), ("chain", CHAIN)):
            (self.folder / name / "1").mkdir(parents=True)
            (self.folder / name / "config.pbtxt").write_text(text)

    def tune(self, *arguments, status=0, model="slow"):
        result = subprocess.run(
            [self.program, "tune", model, f"--model-repository={self.folder}", *map(str, arguments)],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stderr if status else result.stdout

    def test_it_finds_and_writes_what_is_better(self):
        page = self.folder / "page.html"
        output = self.tune(
            "--budget=6s", "--window=100ms", "--keep=delay", "--keep=preferred", "--write", "--report", page
        )  # fmt: skip
        self.assertRegex(output, r"(?m)^ *batching +instances .*infer/s")
        gain = float(re.search(r"The best has ([0-9.]+) times the present throughput; with 95 % certainty", output)[1])
        self.assertGreater(gain, 3)
        config = self.folder / "slow" / "config.pbtxt"
        self.assertEqual((self.folder / "slow" / "config.pbtxt.old").read_text(), SLOW)
        written = config.read_text()
        for comment in ("# Slow on purpose.\n", "kind: KIND_CPU } ]  # one"):
            self.assertIn(comment, written)
        self.assertIn("+ ", output)
        self.assertIn("<svg", page.read_text())
        self.assertRegex(page.read_text(), "Content-Security-Policy")
        lint = subprocess.run([self.program, "lint", str(self.folder)], capture_output=True, text=True)
        self.assertEqual(lint.returncode, 0, lint.stdout)

    def test_nothing_is_written_without_a_word(self):
        output = self.tune("--budget=2s", "--window=50ms", "--keep=delay", "--keep=preferred", "--keep=batching")
        self.assertEqual((self.folder / "slow" / "config.pbtxt").read_text(), SLOW)
        # On a busy machine it may not be sure.
        self.assertRegex(output, "--write writes it|it stays")

    def test_grid(self):
        output = self.tune("--grid=1,2", "--requests=4")
        rows = [line.split() for line in output.splitlines() if re.match(r" *[12] +o", line)]
        self.assertEqual([row[:2] for row in rows], [["1", "off"], ["2", "off"], ["1", "on"], ["2", "on"]])
        totals = [float(row[2]) for row in rows]
        # Four after the other, and two by two.
        self.assertGreater(totals[0], 39)
        self.assertLess(totals[1], totals[0])
        self.assertEqual([int(row[3]) for row in rows[:2]], [4, 4])
        self.assertLess(int(rows[2][3]), 4)
        self.assertGreater(int(rows[2][4]), 1)

    def test_faults(self):
        for expected, model, arguments in (
            ("there is no model 'nosuch'", "nosuch", []), ("is an ensemble", "chain", []),
            ("there is nothing left to try", "slow", ["--keep=instances", "--keep=batching", "--keep=delay", "--keep=preferred"]),
            ("has no .jpg", "slow", ["--pictures", "/"]),
            ("--grid takes", "slow", ["--grid=x"]),
        ):  # fmt: skip
            error = self.tune(*arguments, status=1, model=model)
            self.assertIn(expected, error)

#!/usr/bin/env python3
"""Triton's own server program on our libtritonserver.so, held against our conformance suite:
conformance.py FOLDER_WITH_PROGRAMS [NAME ...]

FOLDER holds libtritonserver.so and halcyon. The wires are Triton's then, and everything behind them is ours. A test must
pass, or stand in `differences.txt` beside this with the reason; one that stands there and passes is reported, too, unless
`sometimes` stands before it.
"""

import fnmatch
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from declarations import ROOT  # noqa: E402
from tritons_program import PROGRAM, lay_out  # noqa: E402

# What is asked of models, and how they are loaded, traced and counted. The rest of the suite is about the commands of the
# program `halcyon`, and about what the wires do with connections, limits and what is no message: Triton's own here.
MODULES = (
    "recorded", "shared_cases", "metrics", "raw_sockets", "clients", "shared_memory", "tracing", "streams", "scheduling",
    "lifecycle", "python_models",
)  # fmt: skip
DIFFERENCES = Path(__file__).resolve().parent / "differences.txt"

LAUNCHER = """#!/bin/sh
# What the suite starts: `serve` and flags, as `halcyon` takes them. Triton has no page, and allows the rest always.
shift
for flag do
    shift
    case "$flag" in --page=* | --allow-client-shm=* | --allow-trace-settings=*) ;; *) set -- "$@" "$flag" ;; esac
done
exec "{program}" "$@"
"""


def differences():
    """What may fail, and why: patterns of tests' names, each with the reason that stands above it; and those of them that
    may pass as well."""
    reasons, sometimes, reason, goes_on = {}, set(), "", False
    for line in DIFFERENCES.read_text().splitlines():
        if line.startswith("#"):
            text = line[1:].strip()
            reason = f"{reason} {text}" if goes_on else text
        elif line.strip():
            pattern = line.strip().removeprefix("sometimes ")
            reasons[pattern] = reason
            if pattern != line.strip():
                sometimes.add(pattern)
        goes_on = line.startswith("#")
    return reasons, sometimes


class Result(unittest.TextTestResult):
    """Says of each test whether it passed, differed as it may, or is wrong."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.reasons, self.sometimes = differences()
        self.differing = set()

    @staticmethod
    def name(test):
        return test.id().split(" ")[0].removeprefix("setUpClass (").rstrip(")")

    def pattern(self, test):
        name = self.name(test)
        if name == "setUpClass":
            name = test.id().split("(")[1].rstrip(")") + ".setUpClass"
        return next((pattern for pattern in self.reasons if fnmatch.fnmatchcase(name, pattern)), None)

    def may_differ(self, test, error, say):
        pattern = self.pattern(test)
        if pattern is None:
            print(f"\nwrong: {self.name(test)}: {str(error[1])[-400:]}", flush=True)
            say(test, error)
        else:
            self.differing.add(pattern)

    def addError(self, test, error):
        self.may_differ(test, error, super().addError)

    def addFailure(self, test, error):
        self.may_differ(test, error, super().addFailure)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.may_differ(test, error, lambda _, error: super(Result, self).addSubTest(test, subtest, error))


def main(programs, names):
    if not PROGRAM.is_file():
        print(f"skipped: {PROGRAM} is not here: Benchmarks/run fetches it")
        return 0
    sys.path.insert(0, str(ROOT / "Tests" / "Conformance"))
    from suites import suite, test_cases

    with tempfile.TemporaryDirectory() as work:
        prefix = Path(work) / "tritonserver"
        subprocess.run(
            [ROOT / "Scripts" / "install", prefix, "--programs", programs], check=True, stdout=subprocess.DEVNULL
        )
        program = lay_out(prefix / "lib" / "libtritonserver.so", Path(work) / "package")
        launcher = Path(work) / "launcher"
        launcher.write_text(LAUNCHER.format(program=program))
        launcher.chmod(0o755)
        tests = suite(test_cases(MODULES, own=True), names, program=str(launcher))
        runner = unittest.TextTestRunner(
            stream=sys.stdout, verbosity=2 if names else 1, resultclass=Result, descriptions=False
        )
        result = runner.run(tests)
    surprising = set() if names else result.reasons.keys() - result.differing - result.sometimes
    for pattern in sorted(surprising):
        print(f"no longer different: {pattern}")
    for pattern in sorted(result.differing):
        print(f"different: {pattern}: {result.reasons[pattern]}")
    return 0 if result.wasSuccessful() and not surprising else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    # One that the suite's own servers do not get.
    os.environ.pop("HALCYON_SERVE_FLAGS", None)
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))

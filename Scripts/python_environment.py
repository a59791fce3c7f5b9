#!/usr/bin/env python3
"""Makes Python environments for tests, each pinned by version and checksum: python3 python_environment.py NAME...

`clients` (.deps/clients) has Triton's client, `conformance` (.deps/conformance) has ONNX's test cases and the two engines in
Python, `deployment` (.deps/deployment) has what checks manifests, `storage` (.deps/storage) a store of objects. Running it again is cheap and needs no network.
"""

import platform
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from steps import Step, StepFailed, run  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
WHAT = {
    "clients": ("Python clients", "tritonclient"),
    "conformance": ("ONNX's test cases", "onnx, onnxruntime and openvino"),
    "deployment": ("Checks of manifests", "kubernetes-validate, kubectl and KServe's types"),
    "storage": ("A store for tests", "moto"),
    "browser": ("What drives a browser", "selenium"),
}


def make(name):
    title, packages = WHAT[name]
    environment = ROOT / ".deps" / name
    requirements = ROOT / "Scripts" / "requirements" / f"{name}.txt"
    stamp = environment / "requirements.txt"
    if stamp.is_file() and stamp.read_text() == requirements.read_text():
        print(f"{title}: present")
        return
    if sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64":
        sys.exit(
            f"{requirements.relative_to(ROOT)} pins packages for Python 3.11 on x86-64, and this is "
            f"{platform.python_version()} on {platform.machine()}"
        )
    logs = ROOT / ".deps" / ".logs"
    count = sum("==" in line for line in requirements.read_text().splitlines())
    with Step(f"{title}: installing {packages} into .deps/{name}") as step:
        shutil.rmtree(environment, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(environment)], logs / f"{name}-venv.log")
        collected = []

        def line(text):
            if text.startswith("Collecting "):
                collected.append(text)
                step.progress(len(collected), count)

        run(
            [str(environment / "bin" / "python"), "-m", "pip", "install", "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--disable-pip-version-check", "--progress-bar", "off",
             "--requirement", str(requirements)],
            logs / f"{name}.log", line,
        )  # fmt: skip
        shutil.copy(requirements, stamp)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[1:]) <= set(WHAT):
        sys.exit(f"usage: Scripts/python_environment.py {{{'|'.join(WHAT)}}}...")
    try:
        for wanted in sys.argv[1:]:
            make(wanted)
    except StepFailed as error:
        sys.exit(f"error: {error}")

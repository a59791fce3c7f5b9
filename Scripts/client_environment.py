#!/usr/bin/env python3
"""Makes .deps/clients, a Python environment with the reference's client, pinned by version and checksum. Running it
again is cheap and needs no network."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".deps" / "clients"
REQUIREMENTS = ROOT / "Scripts" / "requirements" / "clients.txt"


def main():
    stamp = VENV / "requirements.txt"
    if stamp.is_file() and stamp.read_text() == REQUIREMENTS.read_text():
        print("Python clients: present")
        return
    if sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64":
        sys.exit(
            f"{REQUIREMENTS.relative_to(ROOT)} pins packages for Python 3.11 on x86-64, and this is "
            f"{platform.python_version()} on {platform.machine()}"
        )
    print("Python clients: installing tritonclient into .deps/clients", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:",
         "--disable-pip-version-check", "--quiet", "--requirement", str(REQUIREMENTS)],
        check=True,
    )  # fmt: skip
    shutil.copy(REQUIREMENTS, stamp)


if __name__ == "__main__":
    main()

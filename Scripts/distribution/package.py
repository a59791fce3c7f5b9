"""Puts the package together."""

import gzip
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import contents, executables, manual
from .archives import Tree, deb, tar_gz

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ["halcyon", "people_detection"]
FILES = ROOT / "Deployment" / "package"
DOCUMENTATION = "usr/share/doc/halcyon"
SHELLS = {
    "bash": "usr/share/bash-completion/completions/{name}",
    "zsh": "usr/share/zsh/vendor-completions/_{name}",
    "fish": "usr/share/fish/vendor_completions.d/{name}.fish",
}


@dataclass
class Source:
    """What is packaged."""

    # The folder with the executables.
    programs: Path
    # The sources of the packages that they are built of.
    checkouts: Path
    # The time that all files bear, in seconds since 1970.
    time: int
    # Whether the programs are those of a build for tests: the shared libraries of Swift that they need are packaged too, where
    # they look for them, nothing is compressed, and there is no archive.
    is_trial: bool = False

    @property
    def executables(self):
        return [self.programs / name for name in PROGRAMS]

    @property
    def runtime(self):
        return executables.runtime(self.executables) if self.is_trial else {}


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def commit_time():
    """That of the last commit, unless SOURCE_DATE_EPOCH says otherwise."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or said("git", "log", "-1", "--format=%ct"))


def swift_version():
    words = said("swift", "--version").split()
    return words[words.index("version") + 1]


def runtime_licence():
    """That of Swift's runtime, which toolchains have beside it."""
    paths = json.loads(said("swift", "-print-target-info"))["paths"]
    file = Path(paths["runtimeResourcePath"]).parent.parent / "share" / "swift" / "LICENSE.txt"
    if not file.is_file():
        raise FileNotFoundError(f"the licence of Swift's runtime, which the executables hold, is not at {file}")
    return file.read_bytes()


def zipped(text):
    return gzip.compress(text.encode() if isinstance(text, str) else text, 9, mtime=0)


def copyright_text(licences):
    """Debian's file of that name: where the texts are."""
    names = "\n".join(f" {name}" for name in sorted(licences))
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: halcyon\n"
        "Comment: Halcyon itself has no licence file: under which terms it may be copied is its owners' to say.\n"
        " The executables hold the packages whose licences lie in /usr/share/doc/halcyon/licences:\n"
        f"{names}\n"
        " The bill of materials is /usr/share/doc/halcyon/bill-of-materials.cdx.json.\n"
    )


def tree(source, work, note):
    """All files as they are installed below /, and the version."""
    programs = {name: source.programs / name for name in PROGRAMS}
    version = said(str(programs["halcyon"]), "--version").split()[-1]
    found = Tree()
    binaries = {}
    for name, path in programs.items():
        note(f"stripping {name}")
        binaries[f"usr/bin/{name}"] = executables.stripped(path, work)
        found.add(f"usr/bin/{name}", binaries[f"usr/bin/{name}"], 0o755)
        for file, text in manual.pages(str(path), name, version, source.time).items():
            found.add(f"usr/share/man/man1/{file}.gz", zipped(text))
        for shell, place in SHELLS.items():
            found.add(place.format(name=name), said(str(path), "--generate-completion-script", shell) + "\n")
    for path in source.runtime.values():
        note(f"stripping {path.name}")
        found.add(str(path).removeprefix("/"), executables.stripped(path, work))
    found.add("etc/halcyon/halcyon.conf", (FILES / "halcyon.conf").read_bytes())
    found.add("lib/systemd/system/halcyon.service", (FILES / "halcyon.service").read_bytes())
    licences = {**contents.licences(ROOT, source.checkouts), "swift-runtime/LICENSE.txt": runtime_licence()}
    for name, text in licences.items():
        found.add(f"{DOCUMENTATION}/licences/{name}", text)
    found.add(f"{DOCUMENTATION}/copyright", copyright_text(licences))
    found.add(f"{DOCUMENTATION}/changelog.gz", zipped((ROOT / "CHANGELOG.md").read_bytes()))
    bill = contents.bill(ROOT, source.checkouts, version, swift_version(), binaries, source.time)
    found.add(f"{DOCUMENTATION}/bill-of-materials.cdx.json", bill)
    return found, version


def control(files, version, architecture, needed):
    found = Tree()
    found.add("control", (
        "Package: halcyon\n"
        f"Version: {version}\n"
        f"Architecture: {architecture}\n"
        "Section: net\n"
        "Priority: optional\n"
        "Maintainer: The Halcyon project <halcyon@localhost>\n"
        f"Installed-Size: {(files.size() + 1023) // 1024}\n"
        f"Depends: {', '.join([*needed, 'passwd'])}\n"
        "Recommends: python3, python3-pip-whl | python3-pip, ca-certificates\n"
        "Description: inference server that Triton's and KServe's clients talk to\n"
        " Serves model repositories of Triton's layout over HTTP and gRPC. The engines\n"
        " that run the models are installed afterwards, by `halcyon engines install`.\n"
    ))  # fmt: skip
    found.add("conffiles", "".join(f"/{path}\n" for path in sorted(files.files) if path.startswith("etc/")))
    for script in ("postinst", "prerm", "postrm"):
        found.add(script, (FILES / script).read_bytes(), 0o755)
    return found


def portable(files):
    """The same files as an archive for any folder has them: bin, share and so on side by side."""
    moved = Tree()
    for path, (content, mode) in files.files.items():
        moved.add(path.removeprefix("usr/"), content, mode)
    return moved


def make(source, work, note=lambda text: None):
    """The files by their names."""
    machine = platform.machine()
    files, version = tree(source, work, note)
    runtime = source.runtime
    needed = executables.dependencies([*source.executables, *runtime.values()], runtime)
    architecture = executables.ARCHITECTURES.get(machine, machine)
    note("packing for Debian")
    package = deb(control(files, version, architecture, needed), files, source.time, not source.is_trial)
    if source.is_trial:
        return {f"halcyon_{version}_{architecture}.deb": package}
    note("packing the archive")
    name = f"halcyon-{version}-linux-{machine}"
    return {
        f"{name}.tar.gz": tar_gz(portable(files).below(name), source.time),
        f"halcyon_{version}_{architecture}.deb": package,
    }

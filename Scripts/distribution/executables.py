"""What an executable needs of the system that it is installed on."""

import re
import subprocess
from pathlib import Path

# Debian's package for each library that a program may need.
PACKAGES = {
    "libc.so.6": "libc6",
    "libm.so.6": "libc6",
    "ld-linux-x86-64.so.2": "libc6",
    "ld-linux-aarch64.so.1": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libturbojpeg.so.0": "libturbojpeg0",
    "libpng16.so.16": "libpng16-16 | libpng16-16t64",
    "libz.so.1": "zlib1g",
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Unfit(Exception):
    """A sentence on why an executable can't be packaged."""


def stripped(path, work):
    """The executable's bytes without what only a debugger reads."""
    target = work / path.name
    subprocess.run(["strip", "--strip-all", "-o", target, path], check=True)
    return target.read_bytes()


def libraries(path):
    """The libraries that a program or library says it needs."""
    text = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", text)


def runtime(paths):
    """The shared libraries of Swift that programs need which were not linked for packages: where they are looked for."""
    found, waiting = {}, list(paths)
    while waiting:
        path = waiting.pop()
        text = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True).stdout
        folders = re.findall(r"\(R(?:UN)?PATH\)\s+Library r(?:un)?path: \[(.*?)\]", text)
        places = [Path(place) for place in ":".join(folders).replace("$ORIGIN", str(path.parent)).split(":") if place]
        for library in libraries(path):
            place = next((place / library for place in places if (place / library).is_file()), None)
            if place is not None and library not in found:
                found[library] = place
                waiting.append(place)
    return found


def dependencies(paths, brought=()):
    """The packages that executables need, in one order, libc6 with the version that its symbols ask for.

    What is brought along needs no package.
    """
    packages, newest = set(), (0, 0)
    for path in paths:
        text = subprocess.run(["readelf", "-VW", path], check=True, capture_output=True, text=True).stdout
        for library in libraries(path):
            if library in brought:
                continue
            if library.startswith(("libswift", "libFoundation", "libdispatch", "lib_Foundation", "libBlocksRuntime")):
                raise Unfit(f"'{path}' needs Swift's {library}: build it with --static-swift-stdlib")
            if library not in PACKAGES:
                raise Unfit(f"'{path}' needs {library}, and Scripts/distribution/executables.py knows no package for it")
            packages.add(PACKAGES[library])
        # How addresses are noted has a name and no number: it came with 2.36.
        text = text.replace("GLIBC_ABI_DT_RELR", "GLIBC_2.36")
        versions = [tuple(int(part) for part in found) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", text)]
        newest = max([newest, *versions])
    packages.discard("libc6")
    return [f"libc6 (>= {newest[0]}.{newest[1]})", *sorted(packages)]

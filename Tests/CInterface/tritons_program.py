"""Triton's own server program, from the package nvidia-pytriton, laid out with a library of ours in place of its own."""

import shutil
from pathlib import Path

from declarations import ROOT

PACKAGE = ROOT / ".deps" / "triton"
PROGRAM = PACKAGE / "pytriton" / "tritonserver" / "bin" / "tritonserver"


def lay_out(library, folder):
    """Makes a folder in which the program finds the library; returns the program's path."""
    libraries = PACKAGE / "nvidia_pytriton.libs"
    # It looks for its library in ../lib first, and for what else it needs three folders above.
    place = Path(folder) / "place" / "tritonserver"
    for name in ("bin", "lib"):
        (place / name).mkdir(parents=True)
    shutil.copy(PROGRAM, place / "bin")
    (place.parent.parent / libraries.name).symlink_to(libraries)
    wanted = next(libraries.glob("libtritonserver-*.so")).name
    (place / "lib" / wanted).symlink_to(library)
    for beside in library.parent.iterdir():
        if beside != library:
            (place / "lib" / beside.name).symlink_to(beside)
    return place / "bin" / "tritonserver"

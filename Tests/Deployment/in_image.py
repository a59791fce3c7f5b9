"""Runs the program of an unpacked image in it: python3 in_image.py ROOT PATH... -- ARGUMENT...

What is below the paths is seen there under the same names, so that a test's files are where it says. The root can't be
written but for /tmp, and the program has root's files and none of root's rights. Engines are those that tests name, and not
the image's.
"""

import ctypes
import os
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
# Of linux/sched.h, sys/mount.h and linux/prctl.h.
NEW_MOUNTS = 0x20000
READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 32, 4096, 16384, 1 << 18
DROP_FROM_BOUNDING_SET = 24
DEVICES = ("null", "zero", "random", "urandom", "shm")


def checked(status, what):
    if status != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, flags, kind=b"none", data=None):
    checked(LIBC.mount(os.fsencode(source), os.fsencode(target), kind, flags, data), f"mount on {target}")


def enter(root, paths):
    """In mounts of its own, which go with the process."""
    checked(LIBC.unshare(NEW_MOUNTS), "unshare")
    mount("none", "/", RECURSIVE | PRIVATE)
    mount(root, root, BIND)
    mount(root, root, REMOUNT | BIND | READ_ONLY)
    mount("proc", root / "proc", 0, b"proc")
    mount("/sys", root / "sys", BIND | RECURSIVE)
    mount("dev", root / "dev", 0, b"tmpfs", b"mode=755")
    for name in DEVICES:
        place = root / "dev" / name
        place.mkdir() if name == "shm" else place.touch()
        mount(f"/dev/{name}", place, BIND)
    if Path("/tmp") not in paths:
        mount("tmp", root / "tmp", 0, b"tmpfs", b"mode=1777")
    if (engines := root / "usr/lib/halcyon/backends").is_dir():
        mount("none", engines, 0, b"tmpfs", b"mode=755")
    for path in paths:
        place = root / path.relative_to("/")
        place.mkdir(parents=True, exist_ok=True)
        mount(path, place, BIND | RECURSIVE)


def main():
    end = sys.argv.index("--")
    root, paths = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:end]]
    folder = os.getcwd()
    enter(root, paths)
    os.chroot(root)
    os.chdir(folder if Path(folder).is_dir() else "/")
    for capability in range(64):
        LIBC.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    os.execv("/usr/bin/halcyon", ["/usr/bin/halcyon", *sys.argv[end + 1 :]])


if __name__ == "__main__":
    main()

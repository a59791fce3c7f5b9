"""The system calls that a unit of systemd leaves to its service, as a filter that a process can put on itself.

What groups of calls hold comes from systemd-analyze, and the filter's program from libseccomp, which systemd itself uses.
"""

import ctypes
import os
import re
import subprocess
import tempfile

ERRNO, ALLOW, EPERM = 0x00050000, 0x7FFF0000, 1


def members(group):
    """The calls of a group, with those of the groups in it."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], check=True, capture_output=True, text=True)
    found = set()
    for line in listed.stdout.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            found |= members(name)
        elif name and not name.startswith("#"):
            found.add(name)
    return found


def allowed(unit):
    """What the lines SystemCallFilter of a unit's text allow."""
    words = [word for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE) for word in line.split()]
    # Calls without which nothing runs, which systemd allows too.
    found = members("@default")
    for word in words:
        found |= members(word) if word.startswith("@") else {word}
    return found


def program(unit):
    """The filter's program, in the kernel's form."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    filter = ctypes.c_void_p(library.seccomp_init(ERRNO | EPERM))
    try:
        for name in sorted(allowed(unit)):
            number = library.seccomp_syscall_resolve_name(name.encode())
            # Those of other processors have numbers below 0.
            if number >= 0 and library.seccomp_rule_add(filter, ALLOW, number, 0) != 0:
                raise OSError(f"libseccomp does not take {name}")
        with tempfile.TemporaryFile() as file:
            if library.seccomp_export_bpf(filter, file.fileno()) != 0:
                raise OSError("libseccomp can't write the filter")
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(filter)


# What puts the filter in the file $1 on itself and becomes the rest of its arguments: in a root where this module is not.
STARTER = """
import ctypes, os, sys
code = open(sys.argv[1], "rb").read()
buffer = ctypes.create_string_buffer(code, len(code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
taken = Program(len(code) // 8, ctypes.addressof(buffer))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(taken), 0, 0):
    raise OSError(ctypes.get_errno(), "the filter is not taken")
os.execv(sys.argv[2], sys.argv[2:])
"""

"""What packaged programs are linked by: what is public and that nobody calls is left out, and nothing else is."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
LINKING = Path(__file__).resolve().parents[2] / "Scripts" / "linking"
loader = importlib.machinery.SourceFileLoader("ld_bfd", str(LINKING / "ld.bfd"))
linker = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(linker)

ASSEMBLY = """
.section .text.called,"axR"
.globl called
called: ret
.section .text.forgotten,"axR"
.globl forgotten
forgotten: ret
.section swift5_table,"aR"
.globl table
table: .quad 1
.section .text.start,"ax"
.globl _start
_start: call called
.section .note.GNU-stack
"""
MISSING = [name for name in ("as", "ar", "nm", "ld.bfd") if not shutil.which(name)]


@unittest.skipIf(MISSING, f"{', '.join(MISSING)} is missing, which Debian's package binutils has")
class Linking(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        subprocess.run(["as", "-o", self.folder / "a.o", "-"], input=ASSEMBLY, text=True, check=True)

    def linked(self, *arguments):
        program = self.folder / "program"
        environment = {**os.environ, "PATH": f"{LINKING}{os.pathsep}{os.environ['PATH']}"}
        command = ["ld.bfd", "--gc-sections", "-o", program, *arguments]
        subprocess.run(command, env=environment, cwd=self.folder, check=True)
        listed = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
        return {line.split()[-1] for line in listed.splitlines()}

    def test_what_nobody_calls_is_left_out_of_objects_and_of_archives(self):
        subprocess.run(["ar", "rc", "libx.a", "a.o"], cwd=self.folder, check=True)
        (self.folder / "list").write_text("'a.o'\n")
        for arguments in (["a.o"], ["@list"], ["-L.", "-u", "_start", "-lx"], ["-u", "_start", "libx.a"]):
            names = self.linked(*arguments)
            self.assertIn("called", names, arguments)
            self.assertNotIn("forgotten", names, arguments)
            self.assertIn("table", names, arguments)

    def test_objects_stay_as_they_are(self):
        before = (self.folder / "a.o").read_bytes()
        self.linked("a.o")
        self.assertEqual((self.folder / "a.o").read_bytes(), before)

    def test_its_status_is_that_of_the_linker(self):
        with self.assertRaises(subprocess.CalledProcessError):
            self.linked("nothing.o")

    def test_what_is_no_object_of_64_bits_is_left_alone(self):
        for content in (b"", b"text", b"\x7fELF\x01" + bytes(100)):
            self.assertEqual(linker.released(content), content)

    def test_a_shared_library_is_taken_before_an_archive(self):
        for name in ("libx.so", "libx.a", "liby.a"):
            (self.folder / name).touch()
        self.assertIsNone(linker.library("x", [self.folder]))
        self.assertEqual(linker.library("y", [self.folder]), self.folder / "liby.a")

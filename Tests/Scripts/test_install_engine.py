"""The program behind `halcyon engines install`, with small wheels made here."""

import hashlib
import importlib.util
import io
import json
import sys
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))
PROGRAM = ROOT / "Sources" / "EngineInstallation" / "Program"

import fetch_artifacts  # noqa: E402

specification = importlib.util.spec_from_file_location("install_engine", PROGRAM / "install_engine.py")
install_engine = importlib.util.module_from_spec(specification)
specification.loader.exec_module(install_engine)


class Pins(unittest.TestCase):
    def test_a_user_installs_what_the_project_is_tested_with(self):
        pins = json.loads((PROGRAM / "engines.json").read_text())
        makers = {"openvino": fetch_artifacts.openvino, "onnxruntime": fetch_artifacts.onnxruntime}
        self.assertEqual(pins.keys(), makers.keys())
        for name, make in makers.items():
            self.assertEqual(pins[name]["machines"].keys(), {"x86_64", "aarch64"})
            for machine, pin in pins[name]["machines"].items():
                artifact = make(machine)
                self.assertEqual(tuple(pin["members"]), artifact.members)
                self.assertEqual(pin["platform"], artifact.pip_options[1])
                line = f"{pins[name]['package']}=={pins[name]['version']} --hash=sha256:{pin['sha256']}"
                self.assertIn(line, artifact.requirements.read_text())


class Pip(unittest.TestCase):
    """What downloads: a Python without its own pip takes the one that lies in a wheel."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(unittest.mock.patch.object(install_engine, "WHEELS", self.folder))
        python = self.folder / "python"
        # Runs what it is given, and has no modules.
        python.write_text(f'#!/bin/sh\n[ "$1" != -m ] && exec {sys.executable} "$@"\nexit 1\n')
        python.chmod(0o755)
        self.enterContext(unittest.mock.patch.object(install_engine.sys, "executable", str(python)))

    def test_out_of_a_wheel(self):
        wheel = self.folder / "pip-23.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("pip/__main__.py", "print('pip 23.0')")
        self.assertEqual(install_engine.pip({})[1:], [f"{wheel}/pip"])

    def test_none_at_all_is_said(self):
        pin = {"package": "engine", "version": "1", "platform": "any"}
        with self.assertRaisesRegex(install_engine.Failure, "Debian's package is python3-pip-whl.*engine 1 for any"):
            install_engine.pip(pin)


class Installing(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.wheel = self.folder / "engine-1-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr("engine/libs/libengine.so.1", b"library" * 100)
            archive.writestr("engine/__init__.py", "")
            archive.writestr("engine-1.dist-info/licenses/LICENSE", "free")
        self.pin = {
            "title": "Engine 1", "package": "engine", "version": "1", "platform": "any",
            "sha256": hashlib.sha256(self.wheel.read_bytes()).hexdigest(), "members": ["engine/libs/libengine.so.1"],
        }  # fmt: skip
        self.target = self.folder / "backends"
        self.said = io.StringIO()

    def install(self, again=False):
        progress = install_engine.Progress(self.said)
        install_engine.install(self.pin, "engine", self.target, self.wheel, again, progress)

    def test_libraries_and_licences_lie_there_and_nothing_else(self):
        self.install()
        found = {str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.is_file()}
        self.assertEqual(found, {"engine/libengine.so.1", "engine/.halcyon.json", "engine/licences/licenses-LICENSE"})
        self.assertIn("1 libraries, 0 MB, in ", self.said.getvalue())

    def test_what_is_there_stays_unless_it_is_damaged_or_wanted_anew(self):
        self.install()
        library = self.target / "engine" / "libengine.so.1"
        first = library.stat().st_ino
        self.install()
        self.assertEqual(library.stat().st_ino, first)
        self.assertIn("installed already", self.said.getvalue())
        self.install(again=True)
        self.assertNotEqual(library.stat().st_ino, first)
        library.write_bytes(b"damaged")
        self.install()
        self.assertEqual(library.stat().st_size, 700)

    def test_another_file_is_refused_and_changes_nothing(self):
        self.install()
        self.pin = {**self.pin, "sha256": "0" * 64}
        with self.assertRaisesRegex(install_engine.Failure, "is not engine 1 for any: its SHA-256 is"):
            self.install()
        self.assertEqual([path.name for path in self.target.iterdir()], ["engine"])
        self.assertEqual((self.target / "engine" / "libengine.so.1").stat().st_size, 700)

    def test_a_wheel_without_the_library_is_refused(self):
        self.pin["members"] = ["engine/libs/libother.so"]
        with self.assertRaisesRegex(install_engine.Failure, "lacks engine/libs/libother.so"):
            self.install()
        self.assertFalse((self.target / "engine").exists())

    def test_a_machine_without_a_pin_is_named(self):
        pins = json.loads((PROGRAM / "engines.json").read_text())
        with self.assertRaisesRegex(install_engine.Failure, "x86_64 or aarch64, and this machine is 'riscv64'"):
            install_engine.chosen(pins, "openvino", "riscv64")
        self.assertEqual(install_engine.chosen(pins, "openvino", "AMD64")["package"], "openvino")


if __name__ == "__main__":
    unittest.main()

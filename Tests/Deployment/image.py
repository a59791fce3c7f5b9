"""The image, unpacked and run: as another user, with a root that can't be written, and without a shell."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from freshroot import Root, lay_models, people, wheel
from server import ROOT, free_ports
from tools import needs

LARGEST = {"none": 40e6, "openvino": 150e6}
READY_WITHIN = 0.15
PEOPLE = 4


def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "a root of one's own takes root")
class ImageRoot(unittest.TestCase):
    takes_minutes = True
    executables = None

    @classmethod
    def setUpClass(cls):
        folder = cls.executables or str(ROOT / ".build-package" / "release")
        if not cls.executables:
            subprocess.run([ROOT / "Scripts" / "build", "--static", "halcyon"], check=True)
        cls.root = cls.enterClassContext(Root())
        shutil.rmtree(cls.root.path)
        environment = {**os.environ, "HALCYON_WHEEL": str(wheel("openvino"))}
        command = [sys.executable, ROOT / "Scripts" / "make_image_root.py", "--executables", folder, "--output", cls.root.path]
        subprocess.run([*command, "--engine=openvino"], check=True, env=environment, stdout=subprocess.DEVNULL)
        lay_models(cls.root.path / "models")

    def serve(self, port, *more):
        others = free_ports(2)
        ports = [f"--http-port={port}", f"--grpc-port={others[0]}", f"--metrics-port={others[1]}"]
        return ["/usr/bin/halcyon", "serve", "--model-repository=/models", *ports, *more]

    def test_it_is_small(self):
        models = size(self.root.path / "models")
        engines = size(self.root.path / "usr/lib/halcyon/backends")
        whole = size(self.root.path) - models
        print(f"\n  without engines {(whole - engines) / 1e6:.1f} MB, with OpenVINO {whole / 1e6:.1f} MB")
        self.assertLess(whole - engines, LARGEST["none"])
        self.assertLess(whole, LARGEST["openvino"])

    def test_there_is_no_other_program_in_it(self):
        programs = {path.name for path in (self.root.path / "usr/bin").iterdir()}
        self.assertEqual(programs, {"halcyon"})
        self.assertFalse((self.root.path / "bin").exists())

    def test_it_serves_with_a_root_that_can_not_be_written(self):
        port = free_ports(1)[0]
        with self.root.serving(self.serve(port), port, "65532:65532", read_only=True) as seconds:
            print(f"\n  with the demo's model ready after {seconds:.2f} s")
            self.assertEqual(people(port), PEOPLE)
            for question in (["--ready"], ["--live"], ["--model=people"]):
                self.root.run("/usr/bin/halcyon", "health", f"--http-port={port}", *question, user="65532:65532")

    def test_it_is_ready_at_once(self):
        port = free_ports(1)[0]
        empty = self.serve(port)
        empty[2] = "--model-repository=/mnt/models"
        times = []
        for _ in range(5):
            with self.root.serving(empty, port, "65532:65532", read_only=True) as seconds:
                times.append(seconds)
        print(f"\n  without models ready after {', '.join(f'{seconds * 1000:.0f}' for seconds in times)} ms")
        self.assertLess(min(times), READY_WITHIN)


@needs("buildah", "buildah")
@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "an image is made as root")
class Image(unittest.TestCase):
    takes_minutes = True
    executables = None

    def test_what_buildah_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "image.tar"
            flags = ["--executables", self.executables] if self.executables else []
            tag = "localhost/halcyon:test"
            command = [ROOT / "Scripts" / "image", "--tag", tag, "--archive", archive, *flags]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            self.addCleanup(subprocess.run, ["buildah", "rmi", tag], check=False, stdout=subprocess.DEVNULL)
            self.assertGreater(archive.stat().st_size, 1e6)
            fields = "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.StopSignal}}"
            told = subprocess.run(["buildah", "inspect", "--type=image", "--format", fields, tag], check=True, capture_output=True, text=True)
            self.assertEqual(told.stdout.strip(), "65532:65532 [/usr/bin/halcyon] SIGTERM")

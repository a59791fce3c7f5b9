"""The image, unpacked and run: as another user, with a root that can't be written, and without a shell."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

from freshroot import PEOPLE, Root, lay_models, people, wheel
from server import ROOT, SHARED, free_ports
from tools import needs

HERE = Path(__file__).resolve().parent
LARGEST = {"none": 40e6, "openvino": 150e6}
READY_WITHIN = 0.15


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

    def test_it_passes_the_tests_of_the_program(self):
        """Those of Tests/Conformance, of which each starts the image's program in the image."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        # Where tests lay their files, and what they read of the clone and beside it.
        paths = [path.resolve() for path in (Path(tempfile.gettempdir()), ROOT, SHARED) if path.is_dir()]
        for path in paths:
            (self.root.path / path.relative_to("/")).mkdir(parents=True, exist_ok=True)
        program = folder / "halcyon"
        inside = [sys.executable, "-ISB", HERE / "in_image.py", self.root.path, *paths]
        program.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, inside))} -- \"$@\"\n")
        program.chmod(0o755)
        said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
        self.assertRegex(said, r"^\d")
        # Models in Python need an interpreter, which the image has not.
        command = [sys.executable, ROOT / "Tests" / "Conformance" / "run.py", "--without", "python_models", program]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print(f"\n  {' '.join(run.stdout.strip().splitlines()[-3:])}")
        self.assertEqual(run.returncode, 0, run.stdout[-8000:])

    def test_it_serves_with_a_root_that_can_not_be_written(self):
        port = free_ports(1)[0]
        with self.root.serving(self.serve(port), port, "65532:65532", read_only=True) as seconds:
            print(f"\n  with the demo's model ready after {seconds:.2f} s")
            self.assertIn(people(port), PEOPLE)
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
        load, processors = os.getloadavg()[0], os.cpu_count()
        if min(times) >= READY_WITHIN and load > processors:
            self.skipTest(f"{processors} processors have other work for {load:.1f}: nothing is at once here")
        self.assertLess(min(times), READY_WITHIN)


@needs("buildah", "buildah")
@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "an image is made as root")
class Image(unittest.TestCase):
    takes_minutes = True
    executables = None

    def make(self, folder, name, *more):
        """An image, its id, and its archive."""
        archive, tag = Path(folder) / f"{name}.tar", f"localhost/halcyon:test-{name}"
        flags = ["--executables", self.executables] if self.executables else []
        command = [ROOT / "Scripts" / "image", "--tag", tag, "--archive", archive, *flags, *more]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self.addCleanup(subprocess.run, ["buildah", "rmi", tag], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return tag, self.inspected(tag, "{{.FromImageID}}"), archive

    def inspected(self, tag, fields):
        command = ["buildah", "inspect", "--type=image", "--format", fields, tag]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @staticmethod
    def unpacked(archive, folder):
        """The configuration of an OCI archive, whose one layer is laid into the folder."""
        with tarfile.open(archive) as packed:

            def blob(digest):
                return packed.extractfile(f"blobs/{digest.replace(':', '/')}")

            index = json.load(packed.extractfile("index.json"))
            manifest = json.load(blob(index["manifests"][0]["digest"]))
            layers = manifest["layers"]
            with tarfile.open(fileobj=blob(layers[0]["digest"])) as layer:
                layer.extractall(folder, filter="fully_trusted")
            return len(layers), json.load(blob(manifest["config"]["digest"]))["config"]

    def test_what_buildah_makes(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        _, first, archive = self.make(folder, "first")
        _, second, _ = self.make(folder, "second")
        self.assertEqual(first, second, "made again it is another")
        root = self.enterContext(Root())
        layers, config = self.unpacked(archive, root.path)
        print(f"\n  archive {archive.stat().st_size / 1e6:.1f} MB, image {first[:12]} both times")
        self.assertEqual((layers, config["User"], config["Entrypoint"]), (1, "65532:65532", ["/usr/bin/halcyon"]))
        self.assertEqual(config["StopSignal"], "SIGTERM")
        http, grpc, metrics = free_ports(3)
        ports = [f"--http-port={http}", f"--grpc-port={grpc}", f"--metrics-port={metrics}"]
        # Stopped by the signal that it names; `serving` wants it to end with 0.
        with root.serving([*config["Entrypoint"], *config["Cmd"], *ports], http, config["User"], read_only=True):
            root.run(*config["Entrypoint"], "health", "--ready", f"--http-port={http}", user=config["User"])

    def test_dockers_form_says_how_to_ask_for_its_health(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        tag, _, _ = self.make(folder, "docker", "--format", "docker")
        self.assertEqual(self.inspected(tag, "{{.Docker.Config.Healthcheck.Test}}"), "[CMD /usr/bin/halcyon health --ready]")

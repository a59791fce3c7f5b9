"""The package, made twice, installed into a fresh Debian without Swift, and served from."""

import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from freshroot import BESIDE, Root, dependencies, lay_models, people, system, wheel
from server import ROOT, free_ports
from tools import needs


def made(executables):
    """A folder with the packages."""
    folder = Path(tempfile.mkdtemp(prefix="halcyon-dist-"))
    flags = ["--executables", executables] if executables else []
    subprocess.run([ROOT / "Scripts" / "dist", "--output", folder, *flags], check=True, stdout=subprocess.DEVNULL)
    return folder


@needs("systemd-analyze", "systemd")
class Unit(unittest.TestCase):
    def test_the_service_is_valid_and_hardened(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "halcyon.service"
            text = (ROOT / "Deployment" / "package" / "halcyon.service").read_text()
            # Neither the program nor its manual is on the machine that tests.
            unit.write_text(text.replace("/usr/bin/halcyon", "/bin/true").replace("Documentation=", "#"))
            verify = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
            self.assertEqual((verify.returncode, verify.stdout + verify.stderr), (0, ""))
            command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
            report = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            exposure = float(report.split("Overall exposure level")[1].split(":")[1].split()[0])
            self.assertLess(exposure, 2.5, report)


@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "a root of one's own takes root")
class Package(unittest.TestCase):
    takes_minutes = True
    executables = None

    @classmethod
    def setUpClass(cls):
        cls.folder = made(cls.executables)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.package = next(cls.folder.glob("*.deb"))
        cls.archive = next(cls.folder.glob("*.tar.gz"))
        cls.root = cls.enterClassContext(Root(system(dependencies(cls.package) + BESIDE)))
        shutil.copy(cls.package, cls.root.path / "halcyon.deb")
        cls.root.run("dpkg", "--install", "/halcyon.deb")

    def test_made_again_it_is_the_same_byte_for_byte(self):
        again = made(self.executables)
        self.addCleanup(shutil.rmtree, again)
        for path in sorted(self.folder.iterdir()):
            self.assertEqual(path.read_bytes(), (again / path.name).read_bytes(), path.name)

    def test_it_needs_nothing_of_swift(self):
        for name in ("halcyon", "people_detection"):
            listed = self.root.run("ldd", f"/usr/bin/{name}")
            self.assertNotIn("not found", listed)
            self.assertNotIn("swift", listed.lower())
        print("".join(f"\n  {path.name}: {path.stat().st_size / 1e6:.1f} MB" for path in sorted(self.folder.iterdir())))

    def test_what_is_installed(self):
        self.assertRegex(self.root.run("halcyon", "--version"), r"^\d+\.\d+\.\d+")
        self.assertIn("halcyon:", self.root.run("getent", "passwd", "halcyon"))
        for path in (
            "/etc/halcyon/halcyon.conf", "/lib/systemd/system/halcyon.service", "/usr/share/man/man1/halcyon-serve.1.gz",
            "/usr/share/bash-completion/completions/halcyon", "/usr/share/doc/halcyon/bill-of-materials.cdx.json",
            "/usr/share/doc/halcyon/licences/swift-nio/LICENSE.txt", "/var/lib/halcyon/models",
        ):  # fmt: skip
            if not path.startswith("/usr/share/man"):
                self.assertTrue((self.root.path / path[1:]).exists(), path)
        self.assertEqual(self.root.run("dpkg", "--verify", "halcyon"), "")
        self.root.run("bash", "-n", "/usr/share/bash-completion/completions/halcyon")

    def test_the_demos_model_is_served_as_the_service_starts_it(self):
        found = wheel("openvino")
        shutil.copy(found, self.root.path / found.name)
        said = self.root.run("halcyon", "engines", "install", "openvino", "--wheel", f"/{found.name}")
        self.assertIn("in /usr/local/lib/halcyon/backends/openvino", said)
        self.assertIn("openvino: /usr/local/lib/halcyon/backends/openvino, ", self.root.run("halcyon", "engines"))
        lay_models(self.root.path / "var/lib/halcyon/models")
        http, grpc, metrics = free_ports(3)
        ports = f"--http-port={http} --grpc-port={grpc} --metrics-port={metrics}"
        start = f". /etc/halcyon/halcyon.conf && exec /usr/bin/halcyon serve $HALCYON_FLAGS {ports}"
        with self.root.serving(["sh", "-c", start], http, "halcyon:halcyon") as seconds:
            print(f"\n  ready after {seconds:.2f} s, and finds {people(http)} people")
            self.assertEqual(people(http), PEOPLE)
            self.root.run("halcyon", "health", "--ready", f"--http-port={http}", user="halcyon")
            self.root.run("halcyon", "health", "--model=people", f"--http-port={http}", user="halcyon")
        with self.assertRaisesRegex(AssertionError, "not ready: 127.0.0.1:.* can't be reached"):
            self.root.run("halcyon", "health", f"--http-port={http}", user="halcyon")

    def test_the_archive_runs_from_any_folder(self):
        with tarfile.open(self.archive) as archive:
            archive.extractall(self.root.path / "opt", filter="fully_trusted")
        name = f"halcyon-{self.root.run('halcyon', '--version').strip()}-linux-{platform.machine()}"
        self.assertTrue((self.root.path / "opt" / name / "share/man/man1/halcyon.1.gz").is_file())
        self.assertIn("openvino", self.root.run(f"/opt/{name}/bin/halcyon", "engines", "list"))

    def test_z_it_goes_without_a_trace_of_its_own(self):
        self.root.run("dpkg", "--purge", "halcyon")
        for path in ("etc/halcyon", "usr/bin/halcyon", "usr/share/doc/halcyon", "lib/systemd/system/halcyon.service"):
            self.assertFalse((self.root.path / path).exists(), path)


# On the demo's photograph, as the README says.
PEOPLE = 4

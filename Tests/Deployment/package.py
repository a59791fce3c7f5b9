"""The package, made twice, installed into a fresh Debian without Swift, and served from."""

import atexit
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from functools import cache
from pathlib import Path

import callfilter
from freshroot import BESIDE, PEOPLE, Root, dependencies, lay_models, people, system, wheel
from server import ROOT, Server, free_ports, identity
from tools import needs


def made(executables):
    """A folder with the packages."""
    folder = Path(tempfile.mkdtemp(prefix="halcyon-dist-"))
    flags = ["--executables", executables] if executables else []
    subprocess.run([ROOT / "Scripts" / "dist", "--output", folder, *flags], check=True, stdout=subprocess.DEVNULL)
    return folder


SERVICE = ROOT / "Deployment" / "package" / "halcyon.service"


def filtered(folder, python):
    """What a command is written behind that has the calls only which the service has; the filter lies in the folder."""
    (folder / "calls.bpf").write_bytes(callfilter.program(SERVICE.read_text()))
    return [python, "-c", callfilter.STARTER]


def as_the_service():
    """A free port, and the command by which the service starts, with that and two others."""
    http, grpc, metrics = free_ports(3)
    ports = f"--http-port={http} --grpc-port={grpc} --metrics-port={metrics}"
    return http, ["sh", "-c", f". /etc/halcyon/halcyon.conf && exec /usr/bin/halcyon serve $HALCYON_FLAGS {ports}"]


@cache
def packages(executables):
    """The packages that all tests use which do not make their own."""
    folder = made(executables)
    atexit.register(shutil.rmtree, folder)
    return folder


@needs("systemd-analyze", "systemd")
class Unit(unittest.TestCase):
    program = ""

    def test_the_server_and_its_workers_live_with_the_calls_that_the_service_has(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        model = identity(["FP32"])
        isolated = identity(["FP32"], lines='parameters { key: "isolation" value { string_value: "process" } }')
        server = Server(self.program, {"plain": model, "isolated": isolated}, "--sandbox")
        server.wrap = [*filtered(folder, sys.executable), str(folder / "calls.bpf")]
        with server:
            tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}
            for name in ("plain", "isolated"):
                status, _, body = server.request("POST", f"/v2/models/{name}/infer", json.dumps({"inputs": [tensor]}))
                self.assertEqual(status, 200, body)
            self.assertNotIn("Operation not permitted", server.text())

    def test_the_service_is_valid_and_hardened(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "halcyon.service"
            text = SERVICE.read_text()
            # Neither the program nor its manual is on the machine that tests.
            unit.write_text(text.replace("/usr/bin/halcyon", "/bin/true").replace("Documentation=", "#"))
            verify = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
            self.assertEqual((verify.returncode, verify.stdout + verify.stderr), (0, ""))
            command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
            report = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            exposure = float(report.split("Overall exposure level")[1].split(":")[1].split()[0])
            print(f"\n  exposure {exposure} of 10, as systemd-analyze security counts")
            self.assertLess(exposure, 2.0, report)


@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "a root of one's own takes root")
class Trial(unittest.TestCase):
    """The package of the programs that tests are made with, in a Debian that has never had Swift."""

    program = ""
    executables = None

    def test_it_is_installed_and_serves_the_demos_model(self):
        programs = Path(self.program).parent
        if self.executables or not (programs / "people_detection").is_file():
            self.skipTest("the programs here are not those of a build for tests")
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        command = [ROOT / "Scripts" / "dist", "--trial", "--executables", programs, "--output", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        package = next(folder.glob("*.deb"))
        try:
            archive = system(dependencies(package))
        except subprocess.CalledProcessError as error:
            self.skipTest(f"there is no fresh Debian here, as mmdebstrap could not fetch one (its status is {error.returncode})")
        root = self.enterContext(Root(archive))
        shutil.move(package, root.path / "halcyon.deb")
        root.run("dpkg", "--install", "/halcyon.deb")
        shutil.copytree(ROOT / ".deps/backends/openvino", root.path / "usr/local/lib/halcyon/backends/openvino")
        lay_models(root.path / "var/lib/halcyon/models")
        port, start = as_the_service()
        with root.serving(start, port, "halcyon:halcyon"):
            self.assertIn(people(port), PEOPLE)
            root.run("halcyon", "health", "--ready", f"--http-port={port}", user="halcyon")
        root.run("dpkg", "--purge", "halcyon")
        self.assertFalse((root.path / "usr/bin/halcyon").exists())


@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "a root of one's own takes root")
class Package(unittest.TestCase):
    takes_minutes = True
    executables = None

    @classmethod
    def setUpClass(cls):
        cls.folder = packages(cls.executables)
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

    def test_nothing_that_runs_can_be_written(self):
        for name in ("halcyon", "people_detection"):
            listed = subprocess.run(
                ["readelf", "-dlW", self.root.path / "usr/bin" / name], check=True, capture_output=True, text=True
            ).stdout
            self.assertIn("GNU_RELRO", listed)
            self.assertRegex(listed, r"FLAGS_1.*NOW PIE")
            self.assertNotRegex(listed, r"(LOAD|GNU_STACK).* RWE ")

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
        http, start = as_the_service()
        if shutil.which("systemd-analyze"):
            start = [*filtered(self.root.path, "/usr/bin/python3"), "/calls.bpf", "/bin/sh", *start[1:]]
        with self.root.serving(start, http, "halcyon:halcyon") as seconds:
            found = people(http)
            print(f"\n  ready after {seconds:.2f} s, and finds {found} people")
            self.assertIn(found, PEOPLE)
            self.root.run("halcyon", "health", "--ready", f"--http-port={http}", user="halcyon")
            self.root.run("halcyon", "health", "--model=people", f"--http-port={http}", user="halcyon")
        with self.assertRaisesRegex(AssertionError, "not ready: 127.0.0.1:.* can't be reached"):
            self.root.run("halcyon", "health", f"--http-port={http}", user="halcyon")

    def test_engines_come_over_the_network_as_they_are_pinned(self):
        variables = self.root.reach_the_network()
        for engine in ("onnxruntime", "openvino"):
            start = time.monotonic()
            said = self.root.run("halcyon", "engines", "install", engine, "--to", "/opt/engines", variables=variables)
            print(f"\n  {engine} in {time.monotonic() - start:.0f} s: {said.strip().splitlines()[-1]}")
            self.assertRegex(said, r"Downloading .*: done in .*\nComparing its checksum: done in .*\nUnpacking it: done in ")
            again = self.root.run("halcyon", "engines", "install", engine, "--to", "/opt/engines", variables=variables)
            self.assertIn("is installed already, in /opt/engines", again)
        for library in ("onnxruntime/libonnxruntime.so*", "openvino/libopenvino_c.so*"):
            self.assertTrue(list((self.root.path / "opt/engines").glob(library)), library)

    def test_a_wheel_that_is_not_the_pinned_one_is_refused(self):
        (self.root.path / "other.whl").write_bytes(b"something else")
        with self.assertRaisesRegex(AssertionError, "its SHA-256 is .*, and .* is pinned"):
            self.root.run("halcyon", "engines", "install", "openvino", "--wheel", "/other.whl", "--to", "/opt/other")
        self.assertEqual(list((self.root.path / "opt/other").iterdir()), [])

    @needs("man", "man-db")
    def test_manual_pages_have_no_mistakes(self):
        with tarfile.open(self.archive) as archive:
            pages = {each.name: archive.extractfile(each).read() for each in archive if "/share/man/" in each.name and each.isfile()}
        self.assertGreater(len(pages), 10)
        for name, content in pages.items():
            run = subprocess.run(
                ["man", "--warnings", "-l", "-"], input=gzip.decompress(content), capture_output=True, check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "120"},
            )  # fmt: skip
            self.assertEqual((run.returncode, run.stderr.decode()), (0, ""), name)

    def test_completions_are_what_their_shells_read(self):
        places = {
            "bash": "share/bash-completion/completions/halcyon", "zsh": "share/zsh/vendor-completions/_halcyon",
            "fish": "share/fish/vendor_completions.d/halcyon.fish",
        }  # fmt: skip
        for shell, place in places.items():
            path = self.root.path / "usr" / place
            self.assertIn("model-repository", path.read_text(), place)
            if shutil.which(shell):
                run = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
                self.assertEqual((run.returncode, run.stderr), (0, ""))

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

"""Triton's own server program beside Halcyon's: fetched once into .deps/triton, with a backend that only copies."""

import hashlib
import http.client
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from server import BACKENDS, Server, free_ports, write_models

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "CInterface"))

from tritons_program import PACKAGE as FOLDER, PROGRAM, lay_out  # noqa: E402

LIBRARIES = FOLDER / "nvidia_pytriton.libs"
REQUIREMENTS = ROOT / "Scripts" / "requirements" / "triton.txt"
SOURCE = Path(__file__).resolve().parent / "plain_identity.c"

CONFIGURATION = """backend: "plain"
max_batch_size: 64
input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 16 ] } ]
output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 16 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching { }
"""


def why_not():
    """Why Triton can't run here; None where it can."""
    if platform.machine() != "x86_64":
        return f"the package with Triton is for x86_64, and this machine is {platform.machine()}"
    if not (shutil.which("cc") or shutil.which("gcc")):
        return "there is no C compiler for the backend that both servers are compared with (package gcc)"
    return None


def fetch():
    """The path of Triton's program, which `pip` fetches and checks by its checksum the first time."""
    stamp = FOLDER / "recipe"
    recipe = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == recipe):
        print("fetching Triton (55 MB)", file=sys.stderr, flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                 "--disable-pip-version-check", "--only-binary", ":all:", "--python-version", "311",
                 "--platform", "manylinux_2_35_x86_64", "--dest", folder, "--requirement", str(REQUIREMENTS)],
                check=True,
            )  # fmt: skip
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                wheel.extractall(FOLDER)
        stamp.write_text(recipe)
    PROGRAM.chmod(0o755)
    return PROGRAM


def compiled_backend(folder):
    """`libtriton_plain.so`, compiled into a folder of its own below that one."""
    backend = folder / "plain"
    backend.mkdir(parents=True)
    library = str(backend / "libtriton_plain.so")
    subprocess.run([shutil.which("cc") or "gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library


class Triton:
    """`with Triton() as server:` serves `no_op`, 16 FP32 values in and out, or other models.

    Its backends are `plain`, which only copies, and `python` where Scripts/deps --python-models has brought it.
    """

    def __init__(self, models=None, library=None):
        """models: a configuration's text or a model's folder by name; library: a libtritonserver.so in place of its own."""
        self.models = models or {"no_op": CONFIGURATION}
        self.library = library

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="halcyon-triton-"))
        program = fetch()
        if self.library:
            program = lay_out(self.library, self.folder / "package")
        backends = self.folder / "backends"
        compiled_backend(backends)
        if (BACKENDS / "python").is_dir():
            (backends / "python").symlink_to(BACKENDS / "python")
        write_models(self.folder / "models", self.models)
        self.http_port, self.grpc_port, metrics_port = free_ports(3)
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            [program, f"--model-repository={self.folder}/models", f"--backend-directory={backends}",
             "--http-address=127.0.0.1", "--grpc-address=127.0.0.1", f"--http-port={self.http_port}",
             f"--grpc-port={self.grpc_port}", f"--metrics-port={metrics_port}", "--log-info=false"],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip
        self.wait_until_ready()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)

    request = Server.request

    def text(self):
        return (self.folder / "log").read_text()

    def wait_until_ready(self):
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"Triton ended with {self.process.returncode}:\n{self.text()[-3000:]}")
            connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
            try:
                connection.request("GET", "/v2/health/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        raise SystemExit(f"Triton is not ready after 30 s:\n{self.text()[-3000:]}")

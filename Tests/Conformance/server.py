"""A real server process over a repository made for the test."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
# Whether all models run in processes of their own, which shows in the words of some errors.
ISOLATES = "--isolation=process" in os.environ.get("HALCYON_SERVE_FLAGS", "").split()
BACKENDS = ROOT / ".deps" / "backends"


def free_ports(count):
    """Ports that nobody listens on, each another: all are held until the last is found."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def free_port():
    return free_ports(1)[0]


def identity(types, dims="-1", max_batch_size=8, lines=""):
    """The configuration of an identity model with an input and an output for each type."""
    tensors = [(index, data_type) for index, data_type in enumerate(types)]
    inputs = ", ".join(f'{{ name: "INPUT{i}" data_type: TYPE_{t} dims: [ {dims} ] }}' for i, t in tensors)
    outputs = ", ".join(f'{{ name: "OUTPUT{i}" data_type: TYPE_{t} dims: [ {dims} ] }}' for i, t in tensors)
    return f'backend: "identity"\nmax_batch_size: {max_batch_size}\ninput [ {inputs} ]\noutput [ {outputs} ]\n{lines}\n'


def write_models(folder, models):
    """Lays out a repository: a configuration's text, or a folder that is a model already, by the model's name."""
    for name, content in models.items():
        model = folder / name
        if isinstance(content, Path):
            shutil.copytree(content, model)
        else:
            (model / "1").mkdir(parents=True)
            (model / "config.pbtxt").write_text(content)


def soon(condition, seconds=120):
    """Waits for what must come to pass."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Server:
    """`with Server(program, models, flags) as server:`; `models` maps names to the text of a config.pbtxt, or to a folder
    that is a model already."""

    def __init__(self, program, models, *flags):
        self.program = program
        self.models = models
        self.flags = flags
        # Files to lay into the repository, by their path in it.
        self.files = {}
        # Beside the environment that there is.
        self.environment = {}
        # In place of the folder with the models.
        self.repository = None
        # Before the program: `prlimit` and the like.
        self.wrap = []
        self.http_port, self.grpc_port, self.metrics_port = free_ports(3)

    def start(self):
        """Starts the process, and waits for nothing."""
        self.folder = Path(tempfile.mkdtemp(prefix="halcyon-conformance-"))
        write_models(self.folder / "models", self.models)
        for path, source in self.files.items():
            shutil.copy(source, self.folder / "models" / path)
        self.log = (self.folder / "log").open("w+")
        command = [
            *self.wrap, self.program, "serve", f"--model-repository={self.repository or f'{self.folder}/models'}", f"--http-port={self.http_port}",
            f"--grpc-port={self.grpc_port}", f"--metrics-port={self.metrics_port}", f"--backend-directory={BACKENDS}",
            *os.environ.get("HALCYON_SERVE_FLAGS", "").split(), *self.flags,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stderr=self.log, stdout=self.log, env={**os.environ, **self.environment}
        )

    def __enter__(self):
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.end()
            raise
        return self

    def end(self):
        """The status with which it ended, and its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        text = self.text()
        self.log.close()
        shutil.rmtree(self.folder)
        return self.process.returncode, text

    def __exit__(self, kind, error, trace):
        status, text = self.end()
        if status != 0 and error is None:
            raise AssertionError(f"the server ended with {status}:\n{text[-3000:]}")

    def text(self):
        self.log.flush()
        return (self.folder / "log").read_text()

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.text()[-3000:]}")
            try:
                if self.get("/v2/health/ready")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready after a minute:\n{self.text()[-3000:]}")

    def request(self, method, path, body=None, headers=None):
        """Status, headers and body of one HTTP exchange on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def connect(self):
        """A plain socket to the HTTP port."""
        return socket.create_connection(("127.0.0.1", self.http_port), timeout=30)

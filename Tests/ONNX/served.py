"""A server that is asked one case after another, and started anew where a case ends or hangs it."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases import datatype

ROOT = Path(__file__).resolve().parent.parent.parent
# One model at a time on one thread: the engine's answer is the question, not its speed.
FLAGS = {"onnxruntime": ["--backend-config=onnxruntime,intra_op_thread_count=1"], "openvino": []}
# Of a load or an inference of a tiny model; more is a hang.
SECONDS = 60
# Of a tensor that is sent and answered as JSON too.
MOST_AS_JSON = 1000


class Refused(Exception):
    """The server's own words."""


class Lost(Exception):
    """The server ended, or never answered."""


@dataclass(frozen=True)
class Program:
    path: str
    engine: str
    repository: Path


class Server:
    def __init__(self, program):
        self.program = program
        self.process = None
        self.starts = 0

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [
            self.program.path, "serve", f"--model-repository={self.program.repository}", f"--http-port={self.port}",
            "--allow-grpc=false", "--allow-metrics=false", "--model-control-mode=explicit", "--log-info=false",
            f"--backend-directory={ROOT / '.deps' / 'backends'}", "--backend-config=default-max-batch-size=0",
            *FLAGS[self.program.engine],
        ]  # fmt: skip
        self.log = Path(f"{self.program.repository}.log").open("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        self.starts += 1
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.exchange("GET", "/v2/health/live")
                return
            except (OSError, http.client.HTTPException):
                self.connection.close()
                time.sleep(0.02)
        raise SystemExit(f"the server did not start:\n{self.log_text()}")

    def log_text(self):
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")[-2000:]

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()
        self.log.close()
        self.process = None

    def exchange(self, method, path, body=b"", headers=None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def ask(self, method, path, body=b"", headers=None):
        """The answer's headers and body."""
        if self.process is None:
            self.start()
        try:
            status, headers, body = self.exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException) as problem:
            raise Lost(self.post_mortem(problem)) from problem
        if status != 200:
            try:
                raise Refused(json.loads(body)["error"])
            except (ValueError, KeyError):
                raise Refused(f"HTTP {status}: {body[:300]}") from None
        return headers, body

    def post_mortem(self, problem):
        """What became of the process; the next question starts another."""
        try:
            status = self.process.wait(timeout=15)
            fate = f"the server ended: {signal.Signals(-status).name if status < 0 else f'exit status {status}'}"
        except subprocess.TimeoutExpired:
            fate = f"no answer ({problem})"
        self.stop()
        return fate

    def load(self, name):
        self.ask("POST", f"/v2/repository/models/{name}/load")

    def unload(self, name):
        self.ask("POST", f"/v2/repository/models/{name}/unload")

    def infer(self, name, inputs, in_binary):
        """[(output, array)]"""
        described, data = [], b""
        for each, array in inputs:
            entry = {"name": each, "shape": list(array.shape), "datatype": datatype(array)}
            if in_binary:
                content = encoded(array)
                entry["parameters"] = {"binary_data_size": len(content)}
                data += content
            else:
                entry["data"] = [text(value) for value in array.flatten().tolist()]
            described.append(entry)
        header = {"inputs": described}
        if in_binary:
            header["parameters"] = {"binary_data_output": True}
        head = json.dumps(header).encode()
        headers, body = self.ask(
            "POST", f"/v2/models/{name}/infer", head + data,
            {"Inference-Header-Content-Length": str(len(head))} if in_binary else {"Content-Type": "application/json"},
        )  # fmt: skip
        return decoded(headers, body)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def encoded(array):
    if datatype(array) != "BYTES":
        return array.tobytes()
    values = [value if isinstance(value, bytes) else str(value).encode() for value in array.flatten().tolist()]
    return b"".join(len(value).to_bytes(4, "little") + value for value in values)


def fits_json(arrays):
    """Whether JSON can say it: small, finite, and of a type that JSON has numbers for."""
    return all(
        array.size <= MOST_AS_JSON
        and datatype(array) not in ("FP16", "BF16")
        and (array.dtype.kind != "f" or np.isfinite(array).all())
        for array in arrays
    )


def numpy_type(name):
    from cases import DATATYPES

    kind = next(kind for kind, each in DATATYPES.items() if each == name)
    if kind == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(kind)


def decoded(headers, body):
    length = int(headers.get("Inference-Header-Content-Length") or len(body))
    answer = json.loads(body[:length])
    position = length
    outputs = []
    for output in answer["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            array = np.array(output["data"], numpy_type(output["datatype"]))
        else:
            content = body[position : position + size]
            position += size
            array = strings(content) if output["datatype"] == "BYTES" else np.frombuffer(
                content, numpy_type(output["datatype"]))  # fmt: skip
        outputs.append((output["name"], array.reshape(output["shape"])))
    return outputs


def strings(content):
    values, position = [], 0
    while position < len(content):
        size = int.from_bytes(content[position : position + 4], "little")
        values.append(content[position + 4 : position + 4 + size])
        position += 4 + size
    return np.array(values, np.object_)


def configured(repository, folder):
    """A copy of the repository whose models name the engine openvino; all the rest is for the server to complete.

    Some processors would run them in BF16 by default, which is the engine's own choice and not what is asked here."""
    shutil.copytree(repository, folder)
    precision = 'parameters { key: "INFERENCE_PRECISION_HINT" value { string_value: "f32" } }'
    for model in folder.iterdir():
        (model / "config.pbtxt").write_text(f'backend: "openvino"\nmax_batch_size: 0\n{precision}\n')
    return folder

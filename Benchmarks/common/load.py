"""What the benchmarks of servers share: load from wrk (HTTP) and h2load (gRPC), processes looked at from outside, tables."""

import json
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 3


def progress(message):
    print(message, file=sys.stderr, flush=True)


def program(name):
    """A program as packages have it, with Swift's runtime inside: it takes a fifth less processor time than one beside it."""
    subprocess.run([sys.executable, ROOT / "Scripts" / "build", "--static", name], cwd=ROOT, check=True, stdout=sys.stderr)
    return str(ROOT / ".build-package" / "release" / name)


def table(title, header, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" for _ in header) + " |")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


class Load:
    """What the load generators send, in files."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def wrk(self, server, path, body, connections, seconds=SECONDS, headers=()):
        """Requests a second, and the latencies at 50 and 99 % in microseconds."""
        script = self.write(
            "request.lua",
            b'local file = io.open("%s", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\n'
            % str(self.write("body", body)).encode()
            + b"".join(b'wrk.headers["%s"] = "%s"\n' % (n.encode(), v.encode()) for n, v in headers),
        )
        said = self.run(
            server,
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "--timeout", "60s", "-s", script,
             f"http://127.0.0.1:{server.http_port}{path}"],
        )  # fmt: skip
        if "Non-2xx" in said:
            raise SystemExit(f"the server refused requests:\n{said}\n{server.text()[-2000:]}")
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
        return rate, *(self.microseconds(re.search(rf"\s{p}%\s+(\S+)", said).group(1)) for p in (50, 99))

    def h2load(self, server, message, connections, streams, seconds=SECONDS):
        framed = b"\0" + struct.pack(">I", len(message)) + message
        said = self.run(
            server,
            ["h2load", "-t1", f"-c{connections}", f"-m{streams}", "-D", str(seconds), "-w", "24", "-W", "26", "-d",
             str(self.write("message", framed)), "-H", "content-type: application/grpc", "-H", "te: trailers",
             f"http://127.0.0.1:{server.grpc_port}/inference.GRPCInferenceService/ModelInfer"],
        )  # fmt: skip
        succeeded = int(re.search(r"(\d+) succeeded", said).group(1))
        middle = re.search(r"time for request:\s+\S+\s+(\S+)\s+(\S+)", said)
        return succeeded / seconds, self.microseconds(middle.group(2)), self.microseconds(middle.group(1))

    @staticmethod
    def run(server, command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            state = server.process.poll()
            raise SystemExit(
                f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}\nThe server "
                f"{'runs' if state is None else f'ended with {state}'}; its last words:\n{server.text()[-2000:]}"
            )
        return done.stdout

    @staticmethod
    def microseconds(text):
        number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
        return float(number) * {"us": 1, "ms": 1000, "s": 1e6}[unit]


def infer_message(model, name, data_type, shape, data):
    from tritonclient.grpc import service_pb2

    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name=name, datatype=data_type, shape=shape)
    request.raw_input_contents.append(data)
    return request.SerializeToString()


def infer_body(name, data_type, shape, data, binary=True, outputs=()):
    """Body and headers of an HTTP request."""
    tensor = {"name": name, "datatype": data_type, "shape": shape}
    if not binary:
        tensor["data"] = data
        return json.dumps({"inputs": [tensor]}).encode(), ()
    tensor["parameters"] = {"binary_data_size": len(data)}
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}, "outputs": list(outputs)}
    head = json.dumps({key: value for key, value in document.items() if value}).encode()
    return head + data, (("Inference-Header-Content-Length", str(len(head))),)


def median(values):
    return statistics.median(values)


def processor_seconds(server):
    """What the server's process has used so far, in user and kernel mode."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def until_ready(server):
    start = time.monotonic()
    while True:
        try:
            with socket.create_connection(("127.0.0.1", server.http_port)) as connection:
                connection.sendall(b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
                if connection.recv(100).startswith(b"HTTP/1.1 200"):
                    return (time.monotonic() - start) * 1000
        except OSError:
            pass
        time.sleep(0.001)

#!/usr/bin/env python3
"""Starts a server over the example's Python models, asks each of them once, prints what they say, and stops it:
python3 Scripts/ask_python_models.py HALCYON FLAG..."""

import base64
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / ".deps" / "images" / "bus.jpg"
PATIENCE = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def infer(port, model, picture, shape):
    """The answer's outputs by name; the picture travels as it is, behind the request's JSON."""
    element = len(picture).to_bytes(4, "little") + picture
    head = json.dumps(
        {"inputs": [{"name": "file", "datatype": "BYTES", "shape": shape,
                     "parameters": {"binary_data_size": len(element)}}]}
    ).encode()  # fmt: skip
    status, answer = ask(
        port, "POST", f"/v2/models/{model}/infer", head + element,
        {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    if status != 200:
        sys.exit(f"error: model {model}: {answer.decode()}")
    return {output["name"]: output["data"] for output in json.loads(answer)["outputs"]}


def stream(port, model, picture):
    """The responses of a decoupled model, as server-sent events bring them; the picture travels in JSON."""
    text = base64.b64encode(picture).decode()
    status, answer = ask(port, "POST", f"/v2/models/{model}/generate_stream", json.dumps({"file": text}))
    if status != 200:
        sys.exit(f"error: model {model}: {answer.decode()}")
    events = [line.removeprefix("data: ") for line in answer.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(event) for event in events]


def main(program, flags):
    port, grpc, metrics = free_port(), free_port(), free_port()
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [program, "serve", *flags, f"--http-port={port}", f"--grpc-port={grpc}", f"--metrics-port={metrics}"],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            start = time.monotonic()
            while True:
                if server.poll() is not None or time.monotonic() - start > PATIENCE:
                    log.seek(0)
                    sys.exit("error: the server is not ready; it says:\n" + log.read()[-4000:])
                try:
                    if ask(port, "GET", "/v2/health/ready")[0] == 200:
                        break
                except OSError:
                    pass
                time.sleep(0.05)
            picture = PICTURE.read_bytes()
            answer = infer(port, "people", picture, [1, 1])
            print(f"people (ensemble: Pillow, OpenVINO, numpy): {answer['count'][0]} people in {PICTURE.name}")
            for index in range(answer["count"][0]):
                left, top, right, bottom = (round(edge) for edge in answer["boxes"][4 * index : 4 * index + 4])
                print(f"    from ({left}, {top}) to ({right}, {bottom})")
            answer = infer(port, "people_bls", picture, [1])
            print(f"people_bls (one Python model that calls the detector): {answer['count'][0]} people")
            scores = [event["score"] for event in stream(port, "people_stream", picture) if "score" in event]
            print(f"people_stream (a response for each person): scores {', '.join(f'{score:.2f}' for score in scores)}")
            return 0
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
